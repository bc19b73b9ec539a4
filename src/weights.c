/*
 * Single rows of stored matrices as floats, for what does not multiply: the row of an embedding that a token takes. Products
 * read panels as they are, in the kernels; this is the plain reading of the same layout (weights.h), one value at a time.
 */
#include "weights.h"

/* Written out, since a table of constants costs 16 bytes of flash and the formula (weights.h) code and time. */
const int8_t b2s6_q4_levels[16] = { -127, -101, -79, -61, -45, -31, -19, -8, 2, 12, 23, 35, 49, 65, 83, 105 };

/*
 * Row r of a panel of floats or halves, into values (cols): column k is 16 values after column k - 1, so
 * the row is every 16th. The panel is in the machine's byte order.
 */
static void plain_row(const void *panel, uint32_t type, uint32_t cols, uint32_t r, float *values)
{
    uint32_t k;

    for (k = 0; k < cols; k++)
        values[k] = B2S6_HAS_F16 && type == TYPE_F16 ? weights_half(((const uint16_t *)panel)[(size_t)k * B2S6_LANES + r])
                                                     : ((const float *)panel)[(size_t)k * B2S6_LANES + r];
}

/*
 * Row r of a panel of integers, into values (cols). The product of an integer of 8 bits and a scale of 8
 * is exact, as a float has room for 16; so an embedding of integers gives the same bits wherever it is
 * read.
 */
static void integer_row(const unsigned char *panel, uint32_t type, uint32_t cols, uint32_t r, float *values)
{
    /* a scale of each row for a group of columns, then the next group's */
    const uint16_t *scales = (const uint16_t *)(const void *)panel + r;
    const unsigned char *integers = panel + weights_scale_bytes(type, cols) + 2 * r;
    const uint32_t group = weights_group(type);
    uint32_t k;

    for (k = 0; k < cols; k++) {
        const float scale = weights_scale(scales[(size_t)(k / group) * B2S6_LANES]);

        if (type == TYPE_Q8) {
            values[k] = (float)(int8_t)integers[(size_t)(k / 2) * 32 + k % 2] * scale;
        } else {
            /* of 8 columns: bit 2 of k chooses the half of the byte, bit 1 the half of the 64 bytes, bit 0 the byte of two */
            const unsigned byte = integers[(size_t)(k / 8) * 64 + k % 4 / 2 * 32 + k % 2];
            values[k] = (float)b2s6_q4_levels[k / 4 % 2 ? byte >> 4 : byte & 15] * scale;
        }
    }
}

/* Of the first of a matrix's panels when row is below 16; row must be below the matrix's rows. Nothing else is read. */
void b2s6_weights_row(const void *data, uint32_t type, uint32_t cols, uint32_t row, float *values)
{
    const unsigned char *panel = (const unsigned char *)data + row / B2S6_LANES * weights_panel_bytes(type, cols);

    if (weights_are_integers(type))
        integer_row(panel, type, cols, row % B2S6_LANES, values);
    else
        plain_row(panel, type, cols, row % B2S6_LANES, values);
}
