/*
 * altered.h - a valid model file to alter one thing of, and what the loader must say then
 */
#ifndef TEST_ALTERED_H
#define TEST_ALTERED_H

#include "model_file.h"
#include "test.h"

/* A model with s4 blocks and token input, from malloc; and the same taken apart. */
unsigned char *altered_base(size_t *size);
void altered_parts(file_parts *parts);

/* For an offset that a test does not prescribe. */
static const uint64_t anywhere = UINT64_MAX;

/* Opens a copy of the file in guarded memory, in every way; status and offset must be as expected. What opens must run. */
void expect_altered_file(const unsigned char *file, size_t size, b2s6_status expected, uint64_t offset);

/* The same for the file that the parts make. */
void expect_altered(const file_parts *parts, b2s6_status expected);

#endif
