/*
 * Binds tensors of the file's table: every tensor that the configuration calls for must be there with its shape, in the
 * order of the file, and no other that is not optional. Weights are not read here.
 */
#ifndef B2S6_TENSORS_H
#define B2S6_TENSORS_H

#include "model.h"

/* Walks the table once: the table ascends, and so do the calls that take from it. After the first failure it does nothing. */
struct binder {
    const struct format *format;
    const unsigned char *data;     /* the data section: in the file, or a copy in the machine's byte order */
    uint32_t next;                 /* entry */
    uint32_t section;              /* whose tensors are taken */
    uint64_t parameters;           /* weights without padding, so far */
    uint32_t type;                 /* of the tensor that was taken last */
    struct needs *needs;           /* raised for every matrix that is multiplied with */
    b2s6_status status;
    b2s6_error *error;
};

/*
 * The next tensor must be this one. Returns where its values are, NULL after a failure. parameters: how many of them are
 * weights.
 */
B2S6_INTERNAL const void *b2s6_take_tensor(struct binder *b, uint32_t role, uint32_t count, uint32_t rows, uint32_t cols,
                                           uint32_t parameters);
B2S6_STATIC_ASSERT(parameters_fit_32_bits, 2 * (uint64_t)FORMAT_MAX_WIDTH * FORMAT_MAX_D_STATE < UINT32_MAX &&
                                              ((uint64_t)FORMAT_MAX_WIDTH + FORMAT_MAX_SIZE) * FORMAT_MAX_D_CONV < UINT32_MAX);

/* A vector of n values, padded to whole groups. */
B2S6_INTERNAL const float *b2s6_take_vector(struct binder *b, uint32_t role, uint32_t n);

/* Values of every channel and state, lanes (groups, n, planes, 16). parameters as above. */
B2S6_INTERNAL const float *b2s6_take_lanes(struct binder *b, uint32_t role, uint32_t channels, uint32_t n, uint32_t planes,
                                           uint32_t parameters);

/* A matrix of any type. */
B2S6_INTERNAL void b2s6_take_matrix(struct binder *b, struct matrix *m, uint32_t role, uint32_t count, uint32_t rows,
                                    uint32_t cols);

/* A matrix that must be of floats, since the recurrence depends on it. */
B2S6_INTERNAL void b2s6_take_precise(struct binder *b, struct matrix *m, uint32_t role, uint32_t rows, uint32_t cols);

/* The weights of a norm of this kind over d values; role of its bias is one more. */
B2S6_INTERNAL void b2s6_take_norm(struct binder *b, uint32_t role, uint32_t kind, uint32_t d, const float **weight,
                                  const float **bias);

/* Products with m take rows of n_parts times its columns: a workspace needs room for them packed, or as codes. */
B2S6_INTERNAL void b2s6_need_prepared(struct binder *b, const struct matrix *m, uint32_t n_parts);

/* After the last tensor: only optional ones may be left. */
B2S6_INTERNAL void b2s6_take_end(struct binder *b);

/* Rows from which on a matrix of floats is worth packing its input for. */
enum { PACK_WORTH_ROWS = 128 };

static inline int matrix_is_packed(const struct matrix *m)
{
    return B2S6_HAS_ISAS && (m->type == TYPE_F32 || m->type == TYPE_F16) && m->rows >= PACK_WORTH_ROWS;
}

/* English for a tensor's role, for messages. */
#if B2S6_HAS_MESSAGES
B2S6_INTERNAL const char *b2s6_role_name(uint32_t role);
#else
static inline const char *b2s6_role_name(uint32_t role)
{
    (void)role;
    return "";
}
#endif

#endif
