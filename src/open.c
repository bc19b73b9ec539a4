/*
 * Opens a model from memory, and closes it.
 *
 *     plan     reads header, configuration and tensor table, says how large the handle is; all that can be wrong is found here
 *     verify   reads weights, as far as the options say (verify.c)
 *     build    fills the handle; cannot fail
 *
 * Plan and build walk the file by the same function, bind_file, so what is built is what was checked. Until build
 * begins, nothing of the caller's memory has been written and nothing is allocated: a failure has nothing to undo.
 */
#include "open.h"

#include "block.h"
#include "isa.h"
#include "memory.h"
#include "status.h"
#include "verify.h"

/* x is at most SIZE_MAX / 2 and some, so nothing wraps. */
static size_t align_up(size_t x)
{
    return (x + (B2S6_ALIGNMENT - 1)) & ~(size_t)(B2S6_ALIGNMENT - 1);
}

/*
 * What B2S6_MODEL_SIZE gives a layer and the rest of the handle: more than the structures take, so that members can
 * come without a change of the macro, which programs have in their own memory's size. Layers begin where the rest ends,
 * aligned for their pointers.
 */
enum { LAYER_BYTES = sizeof(void *) > 4 ? 512 : 352, REST_BYTES = sizeof(void *) > 4 ? 448 : 320 };
B2S6_STATIC_ASSERT(a_layer_fits, sizeof(struct layer) <= LAYER_BYTES && LAYER_BYTES % 8 == 0);
B2S6_STATIC_ASSERT(a_model_fits, sizeof(struct b2s6_model) <= REST_BYTES && REST_BYTES % 64 == 0);
B2S6_STATIC_ASSERT(as_the_header_says, B2S6_MODEL_SIZE(64) == REST_BYTES + 64 * LAYER_BYTES);

/* --------------------------------------------------------------------------------------------------- the file, bound */

/*
 * Section 0: how input becomes the first row of the residual stream. An embedding may be of any type, since one row of
 * it is looked up and never multiplied; a matrix for features must be of floats.
 */
static B2S6_APART void take_encoder(struct binder *b, struct b2s6_model *m)
{
    const struct model_config *c = &m->config;

    if (c->input_kind == B2S6_TOKENS) {
        b2s6_take_matrix(b, &m->embedding, ROLE_EMBEDDING, 1, c->input_size, c->d_model);
    } else {
        b2s6_take_precise(b, &m->encoder, ROLE_ENCODER, c->d_model, c->input_size);
        m->encoder_bias = b2s6_take_vector(b, ROLE_ENCODER_BIAS, c->d_model);
    }
    b->section++;
}

/*
 * The last section. A tied head is the embedding under another name: the same bytes, here as a matrix that is multiplied
 * with, so the workspace needs room for its prepared input. Without a head the output is d_model wide and nothing
 * follows the norm.
 */
static B2S6_APART void take_head(struct binder *b, struct b2s6_model *m)
{
    const struct model_config *c = &m->config;

    b2s6_take_norm(b, ROLE_FINAL_NORM_WEIGHT, c->final_norm, c->d_model, &m->final_norm_weight, &m->final_norm_bias);
    if (c->head_tied) {
        m->head = m->embedding;
        m->head.role = ROLE_HEAD; /* for an observer */
        m->head.section = (uint16_t)b->section;
    } else if (c->head_size) {
        b2s6_take_matrix(b, &m->head, ROLE_HEAD, 1, c->head_size, c->d_model);
    }
    if (c->head_size)
        b2s6_need_prepared(b, &m->head, 1);
    if (c->head_bias)
        m->head_bias = b2s6_take_vector(b, ROLE_HEAD_BIAS, c->head_size);
    b2s6_take_end(b);
}

/*
 * Configuration and tensors of the file into *m, which is all zero. layers (n_layers) are filled; if NULL each layer is
 * looked at and forgotten, in one place on the stack, since how many there are is not known before. data is the data
 * section in whatever byte order: it is pointed into, and of its values only the turns of A are looked at (unit.c).
 *
 * Configuration and tensors of a layer are read together, so that one layer at a time is enough. Reader and binder do
 * nothing after their first failure: one look at each after every layer finds it.
 */
static b2s6_status bind_file(struct b2s6_model *m, struct layer *layers, const struct format *f, const unsigned char *data,
                             b2s6_error *error)
{
    struct config_reader r = { f, 0, 0, B2S6_OK, error };
    const size_t taken_over = offsetof(struct layer, norm_weight); /* block and config come first */
    struct layer one, *layer = layers ? layers : &one;
    struct binder b;
    uint32_t l;

    memset(&b, 0, sizeof b);
    b.format = f;
    b.data = data;
    b.needs = &m->needs;
    b.error = error;
    b2s6_config_model(&r, &m->config);
    if (r.status)
        return r.status;
    take_encoder(&b, m);
    for (l = 0; l < m->config.n_layers; l++) {
        /* a layer without entries has the configuration of the one before it, and nothing else of it */
        if (layers && l) {
            layers[l].block = layer->block;
            layers[l].config = layer->config;
            layer = &layers[l];
        }
        memset((unsigned char *)layer + taken_over, 0, sizeof *layer - taken_over);
        b2s6_layer_config(&r, layer, &m->config);
        if (r.status)
            return r.status;
        b2s6_layer_bind(&b, layer, &m->config);
        if (b.status)
            return b.status;
        b2s6_layer_place(&m->needs, layer, &m->config);
        m->bidirectional |= layer->config.bidirectional;
    }
    /* keys ascend, so what is left is of a section after the last layer */
    if (r.next < f->n_config) {
        b2s6_config_fail(&r, B2S6_ERROR_FORMAT, B2S6_WORDS("a configuration entry of a layer that the model does not have"));
        return r.status;
    }
    take_head(&b, m);
    m->parameter_count = b.parameters;
    return b.status;
}

/*
 * n values of width bytes from the file's byte order to the machine's, which is the other one: whoever calls has asked.
 * from and to do not overlap.
 */
static void take_values(unsigned char *to, const unsigned char *from, size_t n, size_t width)
{
    size_t i, k;

    for (i = 0; i < n; i++, to += width, from += width)
        for (k = 0; k < width; k++)
            to[k] = from[width - 1 - k];
}

/*
 * Panels of a matrix of integers: the integers are single bytes, the same on every machine, and only the scales before
 * them are turned round.
 */
static void take_panels(unsigned char *to, const unsigned char *from, const struct tensor *t)
{
    const size_t panel = (size_t)weights_panel_bytes(t->type, t->cols), scales = weights_scale_bytes(t->type, t->cols);
    size_t at;

    for (at = 0; at < t->bytes; at += panel) {
        take_values(to + at, from + at, scales / 2, 2);
        memcpy(to + at + scales, from + at + scales, panel - scales);
    }
}

/*
 * The data section in the machine's byte order: the file's own bytes, or on a big-endian machine a copy at `copy`, where
 * the plan has left room after the handle. Every tensor keeps its offset, so that binding is the same for both.
 */
static const unsigned char *native_data(unsigned char *copy, const struct format *f)
{
    const unsigned char *data = f->file + f->header_bytes;
    struct tensor t;
    uint32_t i;
    size_t at;

    if (!B2S6_BIG_ENDIAN)
        return data;
    for (i = 0; i < f->n_tensors; i++) {
        b2s6_format_tensor(&t, f->tensors, i);
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

/* ------------------------------------------------------------------------------------------------------ plan and build */

/*
 * The model on the stack is only filled to find out whether it can be, and what it needs. No size can wrap: layers are
 * at most 4096 of 512 bytes, which only machines of 16 bits cannot address, and the copy of a big-endian machine is
 * smaller than the file, which is in memory.
 */
b2s6_status b2s6_plan(struct blueprint *plan, const void *data, size_t size, b2s6_error *error)
{
    struct b2s6_model model;
    b2s6_status status;
    size_t end;

    b2s6_clear_error(error);
    if (!data)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no data");
    if (!b2s6_is_aligned(data, sizeof(float)))
        return b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the file's bytes must be aligned to 4");
    status = b2s6_format_read(&plan->format, data, size, error);
    if (status)
        return status;
    memset(&model, 0, sizeof model);
    status = bind_file(&model, NULL, &plan->format, plan->format.file + plan->format.header_bytes, error);
    if (status)
        return status;
    plan->n_layers = model.config.n_layers;
    plan->layers_at = REST_BYTES;
#if SIZE_MAX < UINT32_MAX
    if (plan->n_layers > (SIZE_MAX / 2 - REST_BYTES) / LAYER_BYTES)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the model is larger than this machine can address");
#endif
    end = REST_BYTES + (size_t)plan->n_layers * LAYER_BYTES;
    plan->data_at = align_up(end);
    if (B2S6_BIG_ENDIAN) {
        end = plan->format.file_bytes - plan->format.header_bytes;
        if (end > SIZE_MAX / 2)
            return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the model is larger than this machine can address");
        end += plan->data_at;
    }
    plan->handle_size = align_up(end);
    return B2S6_OK;
}

/*
 * The one place that writes a handle. memory has plan->handle_size bytes, aligned; what was in them does not matter. The
 * names, metadata and named entries stay in the file, and the handle points to them. Where the layers' parts are in a
 * state is laid out last, when all layers have said what they keep.
 */
struct b2s6_model *b2s6_build(void *memory, const struct blueprint *plan, const struct open_settings *settings)
{
    struct b2s6_model *m = memory;
    struct layer *layers = (struct layer *)(void *)((unsigned char *)memory + plan->layers_at);
    const struct format *f = &plan->format;

    memset(m, 0, sizeof *m);
    m->kernels = settings->kernels;
    m->layers = layers;
    m->fingerprint = (uint64_t)f->header_crc << 32 | f->data_crc;
    m->file_bytes = f->file_bytes;
    m->file = f->file;
    m->tensors = f->tensors;
    m->n_tensors = f->n_tensors;
    m->entries = f->entries;
    m->n_entries = f->n_entries;
    m->metadata = (const char *)f->metadata;
    m->n_metadata = f->n_metadata;
    /* the plan has seen it succeed */
    (void)bind_file(m, layers, f, native_data((unsigned char *)memory + plan->data_at, f), NULL);
    b2s6_state_layout(m, layers);
    return m;
}

/* Weights first: a file that is refused costs no allocation. The handle remembers its allocator for b2s6_model_close. */
b2s6_status b2s6_build_allocated(b2s6_model **model, const struct blueprint *plan, const struct open_settings *settings,
                                 b2s6_error *error)
{
    const b2s6_allocator *a = &settings->allocator;
    b2s6_status status = b2s6_verify(&plan->format, settings->flags, error);
    void *memory;

    if (status)
        return status;
    memory = a->allocate(a->user, plan->handle_size, B2S6_ALIGNMENT);
    if (!memory)
        return b2s6_fail_at(error, B2S6_ERROR_MEMORY, 0, "no memory for a handle of %u bytes", NULL, plan->handle_size, 0, 0);
    if (!b2s6_is_aligned(memory, B2S6_ALIGNMENT)) {
        a->release(a->user, memory, plan->handle_size);
        return b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the allocator does not align as it was asked to");
    }
    *model = b2s6_build(memory, plan, settings);
    (*model)->allocator = *a;
    (*model)->allocated = plan->handle_size;
    return B2S6_OK;
}

/*
 * Comes before the file is looked at, so that a wrong option is told whatever the file is. Choosing the instruction set
 * may ask the system for its registers, once for the process (isa.c).
 */
b2s6_status b2s6_open_settings(struct open_settings *settings, const b2s6_open_options *options, b2s6_error *error)
{
    b2s6_open_options known = B2S6_OPEN_OPTIONS;

    b2s6_clear_error(error);
    if (!b2s6_take_options(&known, sizeof known, offsetof(b2s6_open_options, allocator), options))
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

/* --------------------------------------------------------------------------------------------------------- what hosts call */

/* A plan and nothing more: of the weights the turns of A are all that is read. */
b2s6_status b2s6_model_size(size_t *handle_size, const void *data, size_t size, b2s6_error *error)
{
    struct blueprint plan;
    b2s6_status status;

    if (!handle_size)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the size");
    status = b2s6_plan(&plan, data, size, error);
    if (!status)
        *handle_size = plan.handle_size;
    return status;
}

/*
 * Every check comes before the first write to memory, the slowest one last. The allocator of the options is checked and
 * not kept: the handle's stays zero, which tells b2s6_model_close that there is nothing to release.
 */
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
        status = b2s6_plan(&plan, data, size, error);
    if (!status && !b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        status = b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the handle's memory must be aligned to 64");
    if (!status && memory_size < plan.handle_size)
        status = b2s6_fail_at(error, B2S6_ERROR_SIZE, 0, "the handle needs %u bytes, %u were given", NULL, plan.handle_size,
                              memory_size, 0);
    if (!status)
        status = b2s6_verify(&plan.format, settings.flags, error);
    if (!status)
        *model = b2s6_build(memory, &plan, &settings);
    return status;
}

b2s6_status b2s6_model_open_memory(b2s6_model **model, const void *data, size_t size, const b2s6_open_options *options,
                                   b2s6_error *error)
{
    struct open_settings settings;
    struct blueprint plan;
    b2s6_status status;

    if (!model)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the handle");
    *model = NULL;
    status = b2s6_open_settings(&settings, options, error);
    if (!status)
        status = b2s6_plan(&plan, data, size, error);
    if (!status)
        status = b2s6_build_allocated(model, &plan, &settings, error);
    return status;
}

/*
 * The mapping first, while the handle still says where it is. The allocator is copied out of the handle, since the
 * handle is what it releases.
 */
void b2s6_model_close(b2s6_model *model)
{
    b2s6_allocator allocator;

    if (!model)
        return;
    if (B2S6_HAS_FILES && model->unmap)
        model->unmap(model->mapping, model->mapping_size);
    allocator = model->allocator;
    if (allocator.release)
        allocator.release(allocator.user, model, model->allocated);
}
