/* digits_data.h - test images in flash: examples/models/digits-test.bin (docs/models.md) */
#ifndef DIGITS_DATA_H
#define DIGITS_DATA_H

#include <stddef.h>
#include <stdint.h>

extern const unsigned char digits_test[], digits_test_end[];

enum { DIGITS_HEADER_BYTES = 28, DIGIT_PIXELS = 64 };

static inline uint32_t digits_count(void)
{
    const unsigned char *p = digits_test + 12;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The pixels of image i (8, 8), 0 .. 16 each, in reading order. */
static inline const unsigned char *digits_pixels(uint32_t i)
{
    return digits_test + DIGITS_HEADER_BYTES + (size_t)i * DIGIT_PIXELS;
}

static inline uint32_t digits_label(uint32_t i)
{
    return digits_test[DIGITS_HEADER_BYTES + (size_t)digits_count() * DIGIT_PIXELS + i];
}

#endif
