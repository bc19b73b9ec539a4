/*
 * CRC-32 as in zlib, PNG and Ethernet (polynomial 04C11DB7, reflected, started and ended with all ones),
 * so that files can be written from any language. Against accidents, not against forgery: the header, the
 * data and every snapshot have one.
 */
#ifndef B2S6_CRC32_H
#define B2S6_CRC32_H

#include "common.h"

/* The CRC of n bytes, continued from crc, the CRC of what came before (0 at the beginning). */
B2S6_INTERNAL uint32_t b2s6_crc32(uint32_t crc, const void *data, size_t n);

#endif
