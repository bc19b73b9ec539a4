/* writer.c - see writer.h: numbers, tensors and their entries, on their way into the file */
#include "writer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void writer_store_u16(unsigned char *place, uint32_t value)
{
    place[0] = (unsigned char)(value & 0xff);
    place[1] = (unsigned char)(value >> 8 & 0xff);
}

void writer_store_u32(unsigned char *place, uint32_t value)
{
    writer_store_u16(place, value);
    writer_store_u16(place + 2, value >> 16);
}

void writer_store_u64(unsigned char *place, uint64_t value)
{
    writer_store_u32(place, (uint32_t)value);
    writer_store_u32(place + 4, (uint32_t)(value >> 32));
}

uint32_t writer_float_bits(double value)
{
    float rounded = (float)value;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

void writer_store(writer *w, unsigned char *place, size_t index, double value)
{
    if (w->failed)
        return;
    if (!(fabs(value) <= FLT_MAX))
        w->failed = complain(w->m, "tensor %.80s: a value of the model that is made from it is too large for a float", w->name);
    else
        writer_store_u32(place + 4 * index, writer_float_bits(value));
}

void writer_put(writer *w, const unsigned char *bytes, size_t n)
{
    if (w->failed || n == 0)
        return;
    w->crc = crc_of(&w->tables, w->crc, bytes, n);
    w->failed = w->sink->put(w->sink->context, w->offset, bytes, n, w->m) != 0;
    w->offset += n;
}

void writer_flush(writer *w)
{
    static const unsigned char zeros[FORMAT_DATA_ALIGNMENT];
    if (!w->sink)
        return;
    writer_put(w, w->place, w->waiting);
    w->waiting = 0;
    writer_put(w, zeros, (size_t)(writer_round_up(w->offset) - w->offset));
}

unsigned char *writer_wait(writer *w, uint64_t n)
{
    if (n > w->room) {
        free(w->place);
        w->room = 0;
        w->place = n > SIZE_MAX ? NULL : malloc((size_t)n);
        if (!w->place) {
            w->failed = complain(w->m, "out of memory: a tensor needs %llu bytes", (unsigned long long)n);
            return NULL;
        }
        w->room = (size_t)n;
    }
    if (n > 0)
        memset(w->place, 0, (size_t)n);
    w->waiting = (size_t)n;
    return w->place;
}

int writer_add_entry(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count, size_t rows,
                     size_t cols, uint64_t bytes)
{
    uint64_t offset = w->data + w->end;
    writer_flush(w);
    w->name = name;
    w->end += writer_round_up(bytes);
    w->n_tensors++;
    if (!w->sink || w->failed)
        return -1;
    writer_store_u16(w->table + TENSOR_AT_ROLE, role);
    writer_store_u32(w->table + TENSOR_AT_SECTION, w->section);
    writer_store_u32(w->table + TENSOR_AT_TYPE, type);
    writer_store_u32(w->table + TENSOR_AT_LAYOUT, layout);
    writer_store_u32(w->table + TENSOR_AT_COUNT, (uint32_t)count);
    writer_store_u32(w->table + TENSOR_AT_ROWS, (uint32_t)rows);
    writer_store_u32(w->table + TENSOR_AT_COLS, (uint32_t)cols);
    writer_store_u64(w->table + TENSOR_AT_OFFSET, offset);
    writer_store_u64(w->table + TENSOR_AT_BYTES, bytes);
    w->table += FORMAT_TENSOR_ENTRY_BYTES;
    return 0;
}

unsigned char *writer_place(writer *w, const char *name, uint32_t role, uint32_t type, uint32_t layout, size_t count,
                            size_t rows, size_t cols, uint64_t bytes)
{
    return writer_add_entry(w, name, role, type, layout, count, rows, cols, bytes) == 0 ? writer_wait(w, bytes) : NULL;
}

unsigned char *writer_place_plain(writer *w, const char *name, uint32_t role, size_t count, size_t rows, size_t cols)
{
    return writer_place(w, name, role, TYPE_F32, LAYOUT_PLAIN, count, rows, cols, (uint64_t)count * rows * cols * 4);
}

void writer_vector(writer *w, uint32_t role, const tensor *t, size_t count, size_t n)
{
    unsigned char *place = writer_place_plain(w, t->name, role, count, 1, pad16(n));
    for (size_t i = 0; place && i < count * n; i++)
        writer_store(w, place, i / n * pad16(n) + i % n,
                     t->n_dims == 2 ? tensor_at(t, i / t->dims[1], i % t->dims[1], 0, 0) : tensor_at(t, i, 0, 0, 0));
}
