/*
 * writer.h - what the pieces of the .b2s6 writer share: a place for the next tensor, and numbers into it
 *
 * The model is described once, by functions that run twice: first to measure (every place is NULL), then to write. Tensors go
 * out as they are made, matrices in pieces, so that the memory does not grow with the model.
 */
#ifndef B2S6_CLI_WRITER_H
#define B2S6_CLI_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "byte_sink.h"
#include "checkpoint.h"
#include "matrix_types.h"
#include "src/format_numbers.h"
#include "writer_crc.h"

enum { LANES = FORMAT_LANES };  /* the width of panels and lanes; pad16 of docs/format.md */

typedef struct writer {
    const checkpoint *ck;
    const matrix_types *types;  /* what the matrices are stored as */
    const tensor_source *source;/* told what is read of it */
    size_t value_size;          /* bytes of a value there, about */
    const byte_sink *sink;      /* where the bytes go; NULL while measuring */
    uint64_t data;              /* where the data begin */
    uint64_t end;               /* where the last tensor ended, rounded up to 64 */
    unsigned char *table;       /* the next entry of the tensor table; NULL while measuring */
    unsigned char *place;       /* (room), the bytes of a tensor or of a piece of it that have not gone out yet */
    size_t room, waiting;       /* waiting: how many */
    uint64_t offset;            /* of the next byte that goes out, in the file */
    uint32_t crc;               /* of the data that have gone out */
    crc_tables tables;
    uint32_t n_tensors;
    uint32_t section;
    const char *name;           /* of the tensor that is being written, for messages */
    message *m;
    int failed;                 /* stays once set */
} writer;

static inline size_t pad16(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* Tensors and what follows them begin at multiples of this. */
static inline uint64_t writer_round_up(uint64_t n)
{
    return (n + FORMAT_DATA_ALIGNMENT - 1) / FORMAT_DATA_ALIGNMENT * FORMAT_DATA_ALIGNMENT;
}

/* Counts a tensor, and writes its entry; name is for messages. 0 if its bytes are wanted, too. */
int writer_add_entry(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count, size_t rows,
                     size_t cols, uint64_t bytes);

/* n zeroed bytes that wait to go out; NULL without memory. */
unsigned char *writer_wait(writer *w, uint64_t n);

/*
 * Adds an entry for a tensor and returns its zeroed bytes, which are the caller's until the next tensor: NULL while measuring.
 * name is for messages.
 */
unsigned char *writer_place(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count,
                            size_t rows, size_t cols, uint64_t bytes);

/* The same for a plain tensor of floats. */
unsigned char *writer_place_plain(writer *w, const char *name, uint32_t role, size_t count, size_t rows, size_t cols);

/* n bytes of data go out; they follow those before. */
void writer_put(writer *w, const unsigned char *bytes, size_t n);

/* Whatever of the last tensor is waiting goes out, and zeros up to the next multiple of FORMAT_DATA_ALIGNMENT. */
void writer_flush(writer *w);

/* Value number index of a place of floats. The value must be finite as a float; if not, the writer has failed. */
void writer_store(writer *w, unsigned char *place, size_t index, double value);

/* The bits of a value rounded to float. */
uint32_t writer_float_bits(double value);

/* Little-endian integers. */
void writer_store_u16(unsigned char *place, uint32_t value);
void writer_store_u32(unsigned char *place, uint32_t value);
void writer_store_u64(unsigned char *place, uint64_t value);

/* A matrix, or count of equal size one after another, of this type; of f32 if it would not be smaller otherwise. */
void writer_matrix(writer *w, uint32_t role, const matrix_type *type, const matrix_source *source);

/* A vector of count * n values, each n padded to lanes. t may have two dimensions; they are read as one. */
void writer_vector(writer *w, uint32_t role, const tensor *t, size_t count, size_t n);

/* The tensors of a unit, roles first + UNIT_W .. first + UNIT_D. c: of its layer. */
void writer_unit(writer *w, uint32_t first, const checkpoint_layer_config *c, const checkpoint_unit *u);

/* Its A alone, one value a block: lanes (groups, 1, 16). */
void writer_unit_scalar_a(writer *w, uint32_t first, const checkpoint_layer_config *c, const checkpoint_unit *u);

/* The tensors of a mamba2 layer after its norm's. */
void writer_mamba2(writer *w, const checkpoint_layer *layer);

#endif
