/* matrix_types.c - see matrix_types.h */
#include "matrix_types.h"

#include <string.h>

#include "writer.h"

/* f32: panels of 16 rows, column after column, so that lane r of a vector is row r. */
static uint64_t f32_size(const matrix_source *source)
{
    return (uint64_t)source->count * pad16(source->rows) * source->cols * 4;
}

static void f32_pack(writer *w, unsigned char *place, const matrix_source *source)
{
    size_t matrix = pad16(source->rows) * source->cols;
    for (size_t i = 0; i < source->count; i++)
        for (size_t r = 0; r < source->rows && !w->failed; r++)
            for (size_t k = 0; k < source->cols; k++)
                writer_store(w, place, i * matrix + r / LANES * LANES * source->cols + k * LANES + r % LANES,
                             source->at(source->context, i, r, k));
}

const matrix_type matrix_f32 = { "f32", TYPE_F32, f32_size, f32_pack };

const matrix_type *matrix_type_named(const char *name)
{
    static const matrix_type *const types[] = { &matrix_f32 };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}
