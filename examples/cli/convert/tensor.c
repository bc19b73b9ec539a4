/* tensor.c - reads values of every type through strides, and makes other views of the same bytes */
#include "tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t load_le(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

static double double_of_f32(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of_f64(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Five bits of exponent, biased by 15, and ten of fraction. */
static double double_of_f16(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 0x3ff, value;
    if (exponent == 31)
        value = fraction != 0 ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

size_t tensor_value_size(tensor_type type)
{
    return type == TENSOR_F64 ? 8 : type == TENSOR_F32 ? 4 : 2;
}

double tensor_at(const tensor *t, size_t i, size_t j, size_t k, size_t l)
{
    size_t index = i * t->strides[0] + j * t->strides[1] + k * t->strides[2] + l * t->strides[3];
    switch (t->type) {
    case TENSOR_F16: return double_of_f16((unsigned)load_le(t->data + 2 * index, 2));
    case TENSOR_BF16: return double_of_f32((uint32_t)load_le(t->data + 2 * index, 2) << 16);
    case TENSOR_F32: return double_of_f32((uint32_t)load_le(t->data + 4 * index, 4));
    case TENSOR_F64: break;
    }
    return double_of_f64(load_le(t->data + 8 * index, 8));
}

tensor tensor_rows(tensor t, size_t first, size_t count)
{
    t.data += first * t.strides[0] * tensor_value_size(t.type);
    t.dims[0] = count;
    return t;
}

tensor tensor_transpose(tensor t)
{
    size_t dim = t.dims[0], stride = t.strides[0];
    t.dims[0] = t.dims[1];
    t.strides[0] = t.strides[1];
    t.dims[1] = dim;
    t.strides[1] = stride;
    return t;
}

tensor tensor_wrap(tensor t)
{
    memmove(t.dims + 1, t.dims, (TENSOR_DIMS - 1) * sizeof t.dims[0]);
    memmove(t.strides + 1, t.strides, (TENSOR_DIMS - 1) * sizeof t.strides[0]);
    t.dims[0] = 1;
    t.strides[0] = 0;
    t.n_dims++;
    return t;
}

tensor tensor_drop(tensor t, size_t i)
{
    memmove(t.dims + i, t.dims + i + 1, (TENSOR_DIMS - 1 - i) * sizeof t.dims[0]);
    memmove(t.strides + i, t.strides + i + 1, (TENSOR_DIMS - 1 - i) * sizeof t.strides[0]);
    t.dims[TENSOR_DIMS - 1] = 1;
    t.strides[TENSOR_DIMS - 1] = 0;
    t.n_dims--;
    return t;
}

static void write_place(const tensor *t, const size_t at[TENSOR_DIMS], char *place, size_t size)
{
    int n = snprintf(place, size, "[");
    for (size_t i = 0; i < t->n_dims && n > 0 && (size_t)n < size; i++)
        n += snprintf(place + n, size - (size_t)n, "%zu%s", at[i], i + 1 < t->n_dims ? ", " : "]");
}

int tensor_find_not_finite(const tensor *t, size_t first, size_t count, char *place, size_t size)
{
    size_t at[TENSOR_DIMS];
    for (at[0] = first; at[0] < first + count; at[0]++)
        for (at[1] = 0; at[1] < t->dims[1]; at[1]++)
            for (at[2] = 0; at[2] < t->dims[2]; at[2]++)
                for (at[3] = 0; at[3] < t->dims[3]; at[3]++)
                    if (!isfinite(tensor_at(t, at[0], at[1], at[2], at[3]))) {
                        write_place(t, at, place, size);
                        return 1;
                    }
    return 0;
}
