/*
 * matrix_integers.c - matrices as integers with a scale for a group of columns: q8 and q4 of matrix_types.h
 *
 * A scale is the upper half of a float. Of the scales around the one that makes the largest weight of a group the largest
 * integer, the one with the smallest sum of squared errors is taken, the first of equals.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix_types.h"
#include "writer.h"

enum { GROUP_MAX = 64 };

/* The codes of a type, and the scales that are tried: steps of 2^-7 to 2^-8, in both signs if the codes are not symmetric. */
typedef struct code_book {
    size_t group;                /* columns of one scale */
    int level[256];              /* the value of each code */
    unsigned char nearest[256];  /* the code nearest to x - 128 */
    int first, last, step;
    int both_signs;
} code_book;

/* What a group of weights becomes. */
typedef struct coded_group {
    double error;                /* sum of squares */
    uint32_t scale;              /* upper half of a float */
    unsigned char codes[GROUP_MAX];
} coded_group;

static void q8_book(code_book *b)
{
    static const code_book q8 = { 64, { 0 }, { 0 }, -4, 30, 1, 0 };
    *b = q8;
    for (int i = 0; i < 256; i++) {
        b->level[i] = i < 128 ? i : i - 256;
        b->nearest[i] = (unsigned char)(i - 128);
    }
    b->nearest[0] = (unsigned char)-127;
}

static void q4_book(code_book *b)
{
    static const code_book q4 = { 32, { 0 }, { 0 }, -36, 48, 3, 1 };
    *b = q4;
    for (int i = 0; i < 16; i++) {
        int n = i - 8, value = n * (326 + 3 * n * n) + 80;
        b->level[i] = (value - (value & 31)) / 32;
    }
    for (int x = -128; x < 128; x++)
        for (int i = 0; i < 16; i++)
            if (abs(b->level[i] - x) < abs(b->level[b->nearest[x + 128]] - x))
                b->nearest[x + 128] = (unsigned char)i;
}

static double scale_value(uint32_t upper)
{
    uint32_t bits = upper << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t upper_half(double value)
{
    float rounded = (float)value;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits >> 16;
}

/* Codes n weights with this scale if that is better than what there is. */
static void try_scale(const code_book *b, const double *weights, size_t n, uint32_t scale, coded_group *best)
{
    double value = scale_value(scale), inverse = 1 / value, error = 0;
    unsigned char codes[GROUP_MAX];
    for (size_t i = 0; i < n && error < best->error; i++) {
        double x = weights[i] * inverse, difference;
        codes[i] = b->nearest[(int)((x < -127 ? -127 : x > 127 ? 127 : x) + 128.5)];
        difference = weights[i] - b->level[codes[i]] * value;
        error += difference * difference;
    }
    if (!(error < best->error))
        return;
    best->error = error;
    best->scale = scale;
    memcpy(best->codes, codes, n);
}

static void try_scales(const code_book *b, const double *weights, size_t n, long first, long last, long step, coded_group *best)
{
    for (long scale = first; scale <= last; scale += step)
        if (scale > 0 && scale < 0x7f80) {
            try_scale(b, weights, n, (uint32_t)scale, best);
            if (b->both_signs)
                try_scale(b, weights, n, (uint32_t)scale | 0x8000, best);
        }
}

/* Weights too small for any scale become zero: scale and codes 0. */
static void code_group(const code_book *b, const double *weights, size_t n, coded_group *best)
{
    double largest = 0;
    long middle;
    memset(best, 0, sizeof *best);
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(weights[i]));
    middle = (long)upper_half(largest / 127);
    if (middle == 0)
        return;
    best->error = INFINITY;
    try_scales(b, weights, n, middle + b->first, middle + b->last, b->step, best);
    if (b->step > 1) {
        middle = (long)(best->scale & 0x7fff);
        try_scales(b, weights, n, middle - b->step + 1, middle + b->step - 1, 1, best);
    }
}

/* Columns first .. first + n - 1 of row r. */
static void read_group(writer *w, const matrix_source *source, size_t i, size_t r, size_t first, size_t n, double *weights)
{
    for (size_t k = 0; k < n; k++) {
        weights[k] = source->at(source->context, i, r, first + k);
        if (!(fabs(weights[k]) <= FLT_MAX)) {
            weights[k] = 0;
            writer_store(w, NULL, 0, INFINITY);  /* complains */
        }
    }
}

/* A group of scales is 32 bytes. */
static size_t scale_bytes(size_t group, size_t cols)
{
    return cols <= 32 ? 32 : (cols + 2 * group - 1) / (2 * group) * 64;
}

static void store_q8(unsigned char *panel_codes, size_t lane, size_t k, unsigned code)
{
    panel_codes[k / 2 * 32 + lane * 2 + k % 2] = (unsigned char)code;
}

static void store_q4(unsigned char *panel_codes, size_t lane, size_t k, unsigned code)
{
    panel_codes[k / 8 * 64 + k % 4 / 2 * 32 + lane * 2 + k % 2] |= (unsigned char)(k / 4 % 2 ? code << 4 : code);
}

/* place is zeroed. */
static void pack(writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first_row, size_t n_rows,
                 const code_book *b, size_t panel_size,
                 void (*store)(unsigned char *panel_codes, size_t lane, size_t k, unsigned code))
{
    double weights[GROUP_MAX];
    coded_group g;
    for (size_t r = 0; r < n_rows && !w->failed; r++) {
        unsigned char *panel = place + r / LANES * panel_size;
        for (size_t first = 0; first < source->cols; first += b->group) {
            size_t n = source->cols - first < b->group ? source->cols - first : b->group;
            read_group(w, source, i, first_row + r, first, n, weights);
            code_group(b, weights, n, &g);
            writer_store_u16(panel + 2 * (first / b->group * LANES + r % LANES), g.scale);
            for (size_t k = 0; k < n; k++)
                store(panel + scale_bytes(b->group, source->cols), r % LANES, first + k, g.codes[k]);
        }
    }
}

static size_t q8_panel(size_t cols)
{
    return scale_bytes(64, cols) + (cols + 3) / 4 * 64;
}

static size_t q4_panel(size_t cols)
{
    return scale_bytes(32, cols) + (cols + 7) / 8 * 64;
}

static uint64_t q8_size(const matrix_source *source)
{
    return (uint64_t)source->count * (pad16(source->rows) / LANES) * q8_panel(source->cols);
}

static uint64_t q4_size(const matrix_source *source)
{
    return (uint64_t)source->count * (pad16(source->rows) / LANES) * q4_panel(source->cols);
}

static void q8_pack(writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first, size_t n)
{
    code_book b;
    q8_book(&b);
    pack(w, place, source, i, first, n, &b, q8_panel(source->cols), store_q8);
}

static void q4_pack(writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first, size_t n)
{
    code_book b;
    q4_book(&b);
    pack(w, place, source, i, first, n, &b, q4_panel(source->cols), store_q4);
}

const matrix_type matrix_q8 = { TYPE_Q8, q8_size, q8_pack };
const matrix_type matrix_q4 = { TYPE_Q4, q4_size, q4_pack };
