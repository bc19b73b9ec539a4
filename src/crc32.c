/*
 * The checksum, made for small machines. A table of 256 words would halve the look-ups and take a kilobyte
 * of flash; files whose check takes time are read through only when the host asks for it
 * (B2S6_OPEN_VERIFY) or are small.
 */
#include "crc32.h"

/*
 * Four bits at a time: 16 table entries cost 64 bytes of flash. Reflected polynomial 0xEDB88320; table[i] is i shifted
 * through four steps of the division.
 */
static const uint32_t table[16] = {
    0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
    0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu, 0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu
};

/*
 * The inversions before and after cancel between two calls, so that a checksum can be taken piece by
 * piece: crc32(crc32(0, a), b) is that of a and b together. Inside the loop crc is the remainder of all
 * bytes so far, lowest power in the highest bit.
 */
uint32_t b2s6_crc32(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t i;

    crc = ~crc;
    for (i = 0; i < n; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
