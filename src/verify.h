/* Reads weights: finite, and A stable. */
#ifndef B2S6_VERIFY_H
#define B2S6_VERIFY_H

#include "model.h"

/*
 * Checks the weights of a file whose tensors are bound. flags and the size of the file decide how many are read, as
 * b2s6.h says at B2S6_OPEN_VERIFY.
 */
B2S6_INTERNAL b2s6_status b2s6_verify(const struct b2s6_model *model, const struct format *f, const unsigned char *data,
                                      uint32_t flags, b2s6_error *error);

#endif
