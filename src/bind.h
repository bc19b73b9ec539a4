/* Binds the configuration's tensors to the file's tensor table. */
#ifndef B2S6_BIND_H
#define B2S6_BIND_H

#include "model.h"

/*
 * Fills model's and layers' pointers from the table, in the order of the file: every tensor that the configuration calls for
 * must be there with its shape, and no other that is not optional. data is where the file's data section lies (in the
 * file, or a copy in the machine's byte order). Weights are not read.
 */
B2S6_INTERNAL b2s6_status b2s6_bind(struct b2s6_model *model, struct layer *layers, const struct format *f,
                                    const unsigned char *data, b2s6_error *error);

/* English for a tensor's role, for messages. */
#if B2S6_HAS_MESSAGES
B2S6_INTERNAL const char *b2s6_role_name(uint32_t role);
#else
static inline const char *b2s6_role_name(uint32_t role)
{
    (void)role;
    return "";
}
#endif

enum { ROLE_A = 36, ROLE_A_BACKWARDS = 68, ROLE_DELTA_BIAS = 35, ROLE_DELTA_BIAS_BACKWARDS = 67 };

#endif
