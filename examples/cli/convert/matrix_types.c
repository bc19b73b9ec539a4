/* matrix_types.c - packs matrices as floats, whole and half; integers are in matrix_integers.c */
#include "matrix_types.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "writer.h"

/* Panels of 16 rows, column after column, so that lane r of a vector is row r. */
static uint64_t panel_index(size_t cols, size_t r, size_t k)
{
    return (uint64_t)(r / LANES * LANES) * cols + k * LANES + r % LANES;
}

static uint64_t f32_size(const matrix_source *source)
{
    return (uint64_t)source->count * pad16(source->rows) * source->cols * 4;
}

static void f32_pack(writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first, size_t n)
{
    for (size_t r = 0; r < n && !w->failed; r++)
        for (size_t k = 0; k < source->cols; k++)
            writer_store(w, place, panel_index(source->cols, r, k), source->at(source->context, i, first + r, k));
}

static uint64_t f16_size(const matrix_source *source)
{
    return f32_size(source) / 2;
}

/* The nearest half, ties to even, of a value below 65520; below 2^-14 its steps are 2^-24. */
static uint32_t half_of(double value)
{
    double magnitude = fabs(value);
    uint32_t bits;
    int exponent;
    if (magnitude < ldexp(1, -14)) {
        bits = (uint32_t)nearbyint(ldexp(magnitude, 24));
    } else {
        frexp(magnitude, &exponent);
        bits = (uint32_t)(exponent + 13) * 1024 + (uint32_t)nearbyint(ldexp(magnitude, 11 - exponent));
    }
    return bits | (signbit(value) ? 0x8000 : 0);
}

static void refuse_large(writer *w, const matrix_source *source, size_t i, size_t r, size_t k)
{
    char origin[200];
    if (source->origin)
        source->origin(source->context, i, r, k, origin, sizeof origin);
    else
        snprintf(origin, sizeof origin, "tensor %.80s: the value %g at [%zu, %zu]", source->name,
                 source->at(source->context, i, r, k), i * source->rows + r, k);
    w->failed = complain(w->m, "%s is too large for type f16, which ends at 65504: choose another --type", origin);
}

static void f16_pack(writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first, size_t n)
{
    for (size_t r = 0; r < n && !w->failed; r++)
        for (size_t k = 0; k < source->cols; k++) {
            double value = source->at(source->context, i, first + r, k);
            if (fabs(value) < 65520)
                writer_store_u16(place + 2 * panel_index(source->cols, r, k), half_of(value));
            else if (!w->failed)
                refuse_large(w, source, i, first + r, k);
        }
}

const matrix_type matrix_f32 = { TYPE_F32, f32_size, f32_pack };
const matrix_type matrix_f16 = { TYPE_F16, f16_size, f16_pack };

const matrix_types matrix_types_f32 = { "f32", &matrix_f32, &matrix_f32, &matrix_f32 };

const matrix_types *matrix_types_named(const char *name)
{
    static const matrix_types others[] = {
        { "f16", &matrix_f16, &matrix_f16, &matrix_f16 },
        { "q8", &matrix_q8, &matrix_q8, &matrix_q8 },
        { "q4", &matrix_q8, &matrix_q8, &matrix_q4 },
    };
    if (strcmp(name, matrix_types_f32.name) == 0)
        return &matrix_types_f32;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].name, name) == 0)
            return &others[i];
    return NULL;
}
