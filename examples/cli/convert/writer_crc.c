/* writer_crc.c - see writer_crc.h: the common CRC-32, reflected polynomial 0xEDB88320 */
#include "writer_crc.h"

void crc_tables_make(crc_tables *t)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        t->table[0][i] = crc;
    }
    for (int k = 1; k < 4; k++)
        for (uint32_t i = 0; i < 256; i++)
            t->table[k][i] = t->table[k - 1][i] >> 8 ^ t->table[0][t->table[k - 1][i] & 0xff];
}

uint32_t crc_of(const crc_tables *t, uint32_t crc, const unsigned char *bytes, size_t n)
{
    crc = ~crc;
    for (; n >= 4; n -= 4, bytes += 4) {
        crc ^= bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        crc = t->table[3][crc & 0xff] ^ t->table[2][crc >> 8 & 0xff] ^ t->table[1][crc >> 16 & 0xff] ^ t->table[0][crc >> 24];
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ t->table[0][(crc ^ bytes[i]) & 0xff];
    return ~crc;
}
