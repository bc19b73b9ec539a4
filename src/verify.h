/* Reads weights: finite, and A stable. */
#ifndef B2S6_VERIFY_H
#define B2S6_VERIFY_H

#include "format.h"

/*
 * Checks the weights of a file whose configuration and tensors have been checked (open.h). flags and the size of the file
 * decide how many are read, as b2s6.h says at B2S6_OPEN_VERIFY.
 */
B2S6_INTERNAL b2s6_status b2s6_verify(const struct format *f, uint32_t flags, b2s6_error *error);

#endif
