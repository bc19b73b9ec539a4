/*
 * How a matrix is laid out in its panels of 16 rows, for each type (docs/format.md), and what its bytes
 * mean as numbers. The file has matrices as the kernels read them, so that opening copies nothing; what a
 * step reads in one go is together:
 *
 *     matrix   | rows 0 .. 15 | rows 16 .. 31 | ...     panels, the last one filled up with rows of zero
 *     panel    f32, f16   | column 0: 16 values | column 1 | ...
 *              q8         | scales | columns 0, 1: 16 rows, 2 bytes each | columns 2, 3 | ...
 *              q4         | scales | columns 0 .. 7: 64 bytes | columns 8 .. 15 | ...
 *
 *     f32, f16   column after column, 16 values each
 *     q8         16 scales a group of 64 columns; then pairs of columns, (k / 2, 16 rows, 2), one byte each:
 *                w = q * scale
 *     q4         16 scales a group of 32 columns; then eights of columns, (k / 8, 2, 16 rows, 2): the low halves of
 *                the bytes are the codes of the first four columns, the high halves those of the other four:
 *                w = level(code) * scale
 *
 * Scales are the upper halves of floats. They take a multiple of 64 bytes a panel, so that the integers
 * are aligned; those of a panel that is hardly longer than its scales take 32, since such matrices are
 * many and small.
 *
 * Lanes are rows, that is outputs, and a panel has 16 of them whatever the width of a vector is: so one
 * file serves every instruction set, and every output is a chain of its own in any of them.
 */
#ifndef B2S6_WEIGHTS_H
#define B2S6_WEIGHTS_H

#include "common.h"
#include "format_numbers.h"

B2S6_STATIC_ASSERT(types_of_the_header_and_of_the_file, TYPE_F32 == (int)B2S6_F32 && TYPE_F16 == (int)B2S6_F16 &&
                                                          TYPE_Q8 == (int)B2S6_Q8 && TYPE_Q4 == (int)B2S6_Q4);
B2S6_STATIC_ASSERT(panels_of_whole_groups, FORMAT_LANES == B2S6_LANES && FORMAT_DATA_ALIGNMENT == B2S6_ALIGNMENT);

/*
 * count matrices of rows x cols in panels of 16 rows; data NULL if the model has none. section and role:
 * as the file names it.
 */
struct matrix {
    const void *data;
    uint8_t type;             /* TYPE_... */
    uint8_t role;
    uint16_t section;
    uint32_t count, rows, cols;
};

/*
 * Whether products with this type read their input as codes. False at compile time where a build has
 * neither type.
 */
static inline int weights_are_integers(uint32_t type)
{
    return (B2S6_HAS_Q8 && type == TYPE_Q8) || (B2S6_HAS_Q4 && type == TYPE_Q4);
}

/* Columns that share a scale, of an integer type. */
static inline uint32_t weights_group(uint32_t type)
{
    return type == TYPE_Q4 ? Q4_GROUP : Q8_GROUP;
}

/* Bytes of a panel's scales, two groups to 64 bytes; cols is at most 2^28. */
static inline uint32_t weights_scale_bytes(uint32_t type, uint32_t cols)
{
    if (cols <= 32) /* one group, whatever the type */
        return 32;
    return type == TYPE_Q4 ? (cols + 63) / 64 * 64 : (cols + 127) / 128 * 64;
}

/* Bytes of a panel; 0 for a type that is not known, or that the build leaves out. */
static inline uint64_t weights_panel_bytes(uint32_t type, uint32_t cols)
{
    if (type == TYPE_F32)
        return (uint64_t)cols * 64;
    if (B2S6_HAS_F16 && type == TYPE_F16)
        return (uint64_t)cols * 32;
    if (B2S6_HAS_Q8 && type == TYPE_Q8)
        return weights_scale_bytes(type, cols) + (uint64_t)((cols + 3) / 4) * 64;
    if (B2S6_HAS_Q4 && type == TYPE_Q4)
        return weights_scale_bytes(type, cols) + (uint64_t)((cols + 7) / 8) * 64;
    return 0;
}

/*
 * What the 16 codes of q4 stand for: (n (326 + 3 n n) + 80) >> 5 with n = code - 8: a cubic, so that
 * levels are denser near zero, where weights are. They fit signed bytes, so products of integers take them
 * as they take q8.
 */
extern B2S6_INTERNAL const int8_t b2s6_q4_levels[16];

/* The float whose upper half this is: 8 bits of significand, the exponent of a float. Exact. */
static inline float weights_scale(uint16_t upper)
{
    return b2s6_float_of((uint32_t)upper << 16);
}

/*
 * Half precision to single, exactly; infinities and NaNs too. The 15 bits are moved to where a float has
 * them; that is a float whose exponent is 112 too small, for subnormal halves a subnormal one, and the
 * product with 2^112 puts both right. Halves with all ones as exponent get that of a float, and keep the
 * bits that tell infinity from NaN.
 */
static inline float weights_half(uint16_t half)
{
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13; /* a float that is 2^112 too small */
    const float value = b2s6_float_of(magnitude) * 0x1p112f;
    const uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0;

    return b2s6_float_of(b2s6_bits_of(value) | special | (uint32_t)(half & 0x8000) << 16);
}

/* Integers that a row of k activations becomes for a product with an integer matrix, padding included (kernels.h). */
static inline uint32_t b2s6_code_width(uint32_t k)
{
    return k > 32 ? (k + 63) / 64 * 64 : (k + 15) / 16 * 16;
}

/* Row of a matrix whose panels of cols columns begin at data, as cols floats. */
B2S6_INTERNAL void b2s6_weights_row(const void *data, uint32_t type, uint32_t cols, uint32_t row, float *values);

#endif
