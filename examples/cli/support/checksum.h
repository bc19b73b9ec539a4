/* checksum.h - CRC-32 as in zlib, PNG and Ethernet, piece by piece */
#ifndef B2S6_CLI_CHECKSUM_H
#define B2S6_CLI_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of n more bytes, after those whose CRC is crc (0 at the beginning). */
uint32_t checksum(uint32_t crc, const unsigned char *bytes, size_t n);

#endif
