#include "model.h"

#include "bind.h"
#include "isa.h"
#include "memory.h"
#include "state.h"
#include "status.h"
#include "verify.h"

static size_t align_up(size_t x)
{
    return (x + (B2S6_ALIGNMENT - 1)) & ~(size_t)(B2S6_ALIGNMENT - 1);
}

/* B2S6_MODEL_SIZE gives a layer and the rest of the handle so many bytes; a compiler refuses an array of -1. */
enum { LAYER_BYTES = sizeof(void *) > 4 ? 416 : 272, REST_BYTES = sizeof(void *) > 4 ? 448 : 320 };
struct sizes_fit {
    char layer[sizeof(struct layer) <= LAYER_BYTES ? 1 : -1];
    char rest[sizeof(struct b2s6_model) <= REST_BYTES && B2S6_MODEL_SIZE(64) == REST_BYTES + 64 * LAYER_BYTES ? 1 : -1];
};

b2s6_status b2s6_model_plan(struct blueprint *plan, const void *data, size_t size, b2s6_error *error)
{
    b2s6_status status;
    uint64_t end;

    b2s6_clear_error(error);
    if (!data)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no data");
    if (!b2s6_is_aligned(data, sizeof(float)))
        return b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the file's bytes must be aligned to 4");
    status = b2s6_format_read(&plan->format, data, size, error);
    if (!status)
        status = b2s6_config_read(&plan->config, &plan->format, error);
    if (status)
        return status;
    plan->layers_at = REST_BYTES;
    end = REST_BYTES + (uint64_t)plan->config.n_layers * LAYER_BYTES;
    plan->data_at = align_up((size_t)end);
    if (B2S6_BIG_ENDIAN)
        end = plan->data_at + (plan->format.file_bytes - plan->format.header_bytes);
    if (end > SIZE_MAX / 2)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the model is larger than this machine can address");
    plan->handle_size = align_up((size_t)end);
    return B2S6_OK;
}

/* n values of width bytes from the file's byte order to the machine's. */
static void take_values(unsigned char *to, const unsigned char *from, size_t n, size_t width)
{
    size_t i, k;

    for (i = 0; i < n; i++, to += width, from += width)
        for (k = 0; k < width; k++)
            to[k] = from[width - 1 - k];
}

/* Integers are bytes in any order of the machine; the scales before them are not. */
static void take_panels(unsigned char *to, const unsigned char *from, const struct tensor *t)
{
    const size_t panel = (size_t)weights_panel_bytes(t->type, t->cols), scales = weights_scale_bytes(t->type, t->cols);
    size_t at;

    for (at = 0; at < t->bytes; at += panel) {
        take_values(to + at, from + at, scales / 2, 2);
        memcpy(to + at + scales, from + at + scales, panel - scales);
    }
}

/* A big-endian machine keeps the weights in its own order behind the handle. */
static const unsigned char *native_data(unsigned char *copy, const struct format *f)
{
    const unsigned char *data = f->file + f->header_bytes;
    struct tensor t;
    uint32_t i;
    size_t at;

    if (!B2S6_BIG_ENDIAN)
        return data;
    for (i = 0; i < f->n_tensors; i++) {
        t = b2s6_format_tensor(f, i);
        at = (size_t)(t.offset - f->header_bytes);
        if (t.flags & FORMAT_TENSOR_OPTIONAL)
            continue; /* nobody reads it */
        if (weights_are_integers(t.type))
            take_panels(copy + at, data + at, &t);
        else
            take_values(copy + at, data + at, (size_t)t.bytes / (t.type == TYPE_F16 ? 2 : 4), t.type == TYPE_F16 ? 2 : 4);
    }
    return copy;
}

b2s6_status b2s6_model_build(void *memory, const struct blueprint *plan, const struct open_settings *settings,
                             b2s6_error *error)
{
    struct b2s6_model *m = memory;
    struct layer *layers = (struct layer *)(void *)((unsigned char *)memory + plan->layers_at);
    const struct format *f = &plan->format;
    const unsigned char *data = native_data((unsigned char *)memory + plan->data_at, f);
    b2s6_status status;

    memset(m, 0, sizeof *m);
    memset(layers, 0, plan->config.n_layers * sizeof *layers);
    m->config = plan->config;
    m->kernels = settings->kernels;
    m->layers = layers;
    m->fingerprint = (uint64_t)f->header_crc << 32 | f->data_crc;
    m->file_bytes = f->file_bytes;
    m->metadata = (const char *)f->metadata;
    m->n_metadata = f->n_metadata;
    status = b2s6_bind(m, layers, f, data, error);
    m->state = b2s6_state_layout(m);
    if (!status)
        status = b2s6_verify(m, f, data, settings->flags, error);
    return status;
}

b2s6_status b2s6_open_settings(struct open_settings *settings, const b2s6_open_options *options, b2s6_error *error)
{
    b2s6_open_options known = B2S6_OPEN_OPTIONS;

    b2s6_clear_error(error);
    if (!b2s6_take_options(&known, sizeof known, options))
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "the options ask for something that this library does not know");
    if (known.flags & ~(B2S6_OPEN_VERIFY | B2S6_OPEN_TRUST) || known.flags == (B2S6_OPEN_VERIFY | B2S6_OPEN_TRUST))
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "the options' flags are not allowed");
    if (!B2S6_HAS_VERIFY && known.flags & B2S6_OPEN_VERIFY)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "this build of the library leaves out reading the weights");
    settings->flags = known.flags;
    settings->kernels = b2s6_isa_choose(known.isa);
    if (!settings->kernels)
        return b2s6_fail(error, B2S6_ERROR_ISA, 0, "the instruction set asked for is unknown, or this machine cannot run it");
    if (!b2s6_take_allocator(&settings->allocator, known.allocator))
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "the allocator lacks a function");
    return B2S6_OK;
}

b2s6_status b2s6_model_size(size_t *handle_size, const void *data, size_t size, b2s6_error *error)
{
    struct blueprint plan;
    b2s6_status status;

    if (!handle_size)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the size");
    status = b2s6_model_plan(&plan, data, size, error);
    if (!status)
        *handle_size = plan.handle_size;
    return status;
}

b2s6_status b2s6_model_place(b2s6_model **model, void *memory, size_t memory_size, const void *data, size_t size,
                             const b2s6_open_options *options, b2s6_error *error)
{
    struct open_settings settings;
    struct blueprint plan;
    b2s6_status status;

    if (!model)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the handle");
    *model = NULL;
    status = b2s6_open_settings(&settings, options, error);
    if (!status && !memory)
        status = b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no memory for the handle");
    if (!status)
        status = b2s6_model_plan(&plan, data, size, error);
    if (!status && !b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        status = b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the handle's memory must be aligned to 64");
    if (!status && memory_size < plan.handle_size)
        status = b2s6_fail_at(error, B2S6_ERROR_SIZE, 0, "the handle needs %u bytes, %u were given", NULL, plan.handle_size,
                              memory_size, 0);
    if (!status)
        status = b2s6_model_build(memory, &plan, &settings, error);
    if (!status)
        *model = memory;
    return status;
}

b2s6_status b2s6_model_open_memory(b2s6_model **model, const void *data, size_t size, const b2s6_open_options *options,
                                   b2s6_error *error)
{
    struct open_settings settings;
    struct blueprint plan;
    b2s6_status status;
    void *memory;

    if (!model)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the handle");
    *model = NULL;
    status = b2s6_open_settings(&settings, options, error);
    if (!status)
        status = b2s6_model_plan(&plan, data, size, error);
    if (status)
        return status;
    memory = settings.allocator.allocate(settings.allocator.user, plan.handle_size, B2S6_ALIGNMENT);
    if (!memory)
        return b2s6_fail_at(error, B2S6_ERROR_MEMORY, 0, "no memory for a handle of %u bytes", NULL, plan.handle_size, 0, 0);
    if (!b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        status = b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the allocator does not align as it was asked to");
    else
        status = b2s6_model_build(memory, &plan, &settings, error);
    if (status) {
        settings.allocator.release(settings.allocator.user, memory);
        return status;
    }
    *model = memory;
    (*model)->allocator = settings.allocator;
    return B2S6_OK;
}

void b2s6_model_close(b2s6_model *model)
{
    b2s6_allocator allocator;

    if (!model)
        return;
    if (B2S6_HAS_FILES)
        b2s6_unmap(model->mapping, model->mapping_size);
    allocator = model->allocator;
    if (allocator.release)
        allocator.release(allocator.user, model);
}
