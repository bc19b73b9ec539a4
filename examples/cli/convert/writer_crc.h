/* writer_crc.h - CRC-32 of many megabytes, piece by piece, four bytes at a time */
#ifndef B2S6_CLI_WRITER_CRC_H
#define B2S6_CLI_WRITER_CRC_H

#include <stddef.h>
#include <stdint.h>

/* table[k][b]: the CRC of byte b with k zero bytes after it. */
typedef struct crc_tables {
    uint32_t table[4][256];
} crc_tables;

void crc_tables_make(crc_tables *t);

/* The CRC of n more bytes, after those whose CRC is crc (0 at the beginning). */
uint32_t crc_of(const crc_tables *t, uint32_t crc, const unsigned char *bytes, size_t n);

#endif
