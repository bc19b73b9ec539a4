#include "weights.h"

const int8_t b2s6_q4_levels[16] = { -127, -101, -79, -61, -45, -31, -19, -8, 2, 12, 23, 35, 49, 65, 83, 105 };

/* Row r of a panel of floats or halves. */
static void plain_row(const void *panel, uint32_t type, uint32_t cols, uint32_t r, float *values)
{
    uint32_t k;

    for (k = 0; k < cols; k++)
        values[k] = B2S6_HAS_F16 && type == TYPE_F16 ? weights_half(((const uint16_t *)panel)[(size_t)k * B2S6_LANES + r])
                                                     : ((const float *)panel)[(size_t)k * B2S6_LANES + r];
}

/* The product of an integer of 8 bits and a scale of 8 is exact. */
static void integer_row(const unsigned char *panel, uint32_t type, uint32_t cols, uint32_t r, float *values)
{
    const uint16_t *scales = (const uint16_t *)(const void *)panel + r;
    const unsigned char *integers = panel + weights_scale_bytes(type, cols) + 2 * r;
    const uint32_t group = weights_group(type);
    uint32_t k;

    for (k = 0; k < cols; k++) {
        const float scale = weights_scale(scales[(size_t)(k / group) * B2S6_LANES]);

        if (type == TYPE_Q8) {
            values[k] = (float)(int8_t)integers[(size_t)(k / 2) * 32 + k % 2] * scale;
        } else {
            const unsigned byte = integers[(size_t)(k / 8) * 64 + k % 4 / 2 * 32 + k % 2];
            values[k] = (float)b2s6_q4_levels[k / 4 % 2 ? byte >> 4 : byte & 15] * scale;
        }
    }
}

void b2s6_weights_row(const void *data, uint32_t type, uint32_t cols, uint32_t row, float *values)
{
    const unsigned char *panel = (const unsigned char *)data + row / B2S6_LANES * weights_panel_bytes(type, cols);

    if (weights_are_integers(type))
        integer_row(panel, type, cols, row % B2S6_LANES, values);
    else
        plain_row(panel, type, cols, row % B2S6_LANES, values);
}
