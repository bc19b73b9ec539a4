/* Opening a model: everything that can be wrong with a file is found in a plan; what was planned is built without failing. */
#ifndef B2S6_OPEN_H
#define B2S6_OPEN_H

#include "model.h"

/* The options that a model is opened with, or their defaults. */
struct open_settings {
    b2s6_allocator allocator;
    uint32_t flags;
    const struct b2s6_kernels *kernels;
};
B2S6_INTERNAL b2s6_status b2s6_open_settings(struct open_settings *settings, const b2s6_open_options *options,
                                             b2s6_error *error);

/* A file that has been checked, and how large its handle is: model, layers, and a big-endian machine's copy of the data. */
struct blueprint {
    struct format format;
    uint32_t n_layers;
    size_t layers_at, data_at, handle_size;
};

/* Checks header, configuration and tensors of the size bytes at data; of the weights only the turns of A are looked at. */
B2S6_INTERNAL b2s6_status b2s6_plan(struct blueprint *plan, const void *data, size_t size, b2s6_error *error);

/*
 * Builds the handle that was planned, in plan->handle_size bytes at memory, aligned to B2S6_ALIGNMENT. Its weights are
 * not read, but for the turns of A. Cannot fail.
 */
B2S6_INTERNAL struct b2s6_model *b2s6_build(void *memory, const struct blueprint *plan, const struct open_settings *settings);

/* The same in memory from the allocator; weights are checked first, as the settings' flags say. */
B2S6_INTERNAL b2s6_status b2s6_build_allocated(b2s6_model **model, const struct blueprint *plan,
                                               const struct open_settings *settings, b2s6_error *error);

#endif
