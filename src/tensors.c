/*
 * Takes tensors from the file's table in its order: shapes checked, nothing read.
 *
 * The table ascends by section and role (format.c), and the functions that bind a model ask in that order too: encoder,
 * layers, head, and in each by role. So the walk goes forward only, and what it meets before the tensor that is asked for
 * is one that the model has no use for. That is refused unless it is marked optional: a weight that is silently not used
 * makes a model that runs and is wrong.
 */
#include "tensors.h"

#include "status.h"

#if B2S6_HAS_MESSAGES

/* By role, in English, for messages. Both units have the same names: the section and the place in the file tell them apart. */
const char *b2s6_role_name(uint32_t role)
{
    static const char *const unit[] = { "unit w", "unit x_weight", "unit dt_weight", "unit delta bias", "unit A",
                                        "unit 1/A", "unit B and C", "unit B bias", "unit C", "unit D" };

    if (role >= ROLE_UNIT && role <= ROLE_UNIT + UNIT_D)
        return unit[role - ROLE_UNIT];
    if (role >= ROLE_UNIT_BACKWARDS && role <= ROLE_UNIT_BACKWARDS + UNIT_D)
        return unit[role - ROLE_UNIT_BACKWARDS];
    switch (role) {
    case ROLE_EMBEDDING: return "embedding";
    case ROLE_ENCODER: return "encoder weight";
    case ROLE_ENCODER_BIAS: return "encoder bias";
    case ROLE_NORM_WEIGHT: return "norm weight";
    case ROLE_NORM_BIAS: return "norm bias";
    case ROLE_IN_PROJ: return "in_proj";
    case ROLE_IN_BIAS: return "in_proj bias";
    case ROLE_CONV_WEIGHT: return "conv weight";
    case ROLE_CONV_BIAS: return "conv bias";
#if B2S6_HAS_MAMBA2
    case ROLE_IN_MLP: return "in_proj of the MLP";
    case ROLE_IN_MLP_BIAS: return "in_proj bias of the MLP";
    case ROLE_IN_BC: return "in_proj of B and C";
    case ROLE_IN_BC_BIAS: return "in_proj bias of B and C";
    case ROLE_IN_DT: return "in_proj of delta";
    case ROLE_GATED_NORM: return "gated norm weight";
    case ROLE_OUT_MLP: return "out of the MLP";
#endif
    case ROLE_OUT: return "out";
    case ROLE_OUT_BIAS: return "out bias";
    case ROLE_FINAL_NORM_WEIGHT: return "final norm weight";
    case ROLE_FINAL_NORM_BIAS: return "final norm bias";
    case ROLE_HEAD: return "head";
    case ROLE_HEAD_BIAS: return "head bias";
    }
    return "unknown tensor";
}

#endif

/* Where the entry that comes next is in the file: the place that messages name. */
static size_t entry_at(const struct binder *b)
{
    return (size_t)(b->format->tensors - b->format->file) + (size_t)b->next * FORMAT_TENSOR_ENTRY_BYTES;
}

/* In text %s is the name of the role; x, y and z are its numbers. */
static void fail_tensor(struct binder *b, b2s6_status status, const char *text, uint32_t role, uint64_t x, uint64_t y,
                        uint64_t z)
{
    b->status = b2s6_fail_at(b->error, status, entry_at(b), text, b2s6_role_name(role), x, y, z);
}

/*
 * Steps over entries that come before this place in the table and are optional; anything else before it is a failure. 1
 * if the entry at that place comes next, in *t; it is not taken.
 */
static int skip_to(struct binder *b, struct tensor *t, uint64_t place)
{
    uint64_t at;

    for (; !b->status && b->next < b->format->n_tensors; b->next++) {
        b2s6_format_tensor(t, b->format->tensors, b->next);
        at = tensor_place(t->section, t->role);
        if (at >= place)
            return at == place;
        if (!(t->flags & FORMAT_TENSOR_OPTIONAL))
            fail_tensor(b, B2S6_ERROR_UNSUPPORTED, "section %u holds a tensor with role %u (%s) that the model does not use",
                        t->role, t->section, t->role, 0);
    }
    return 0;
}

/*
 * The tensor of this role, with exactly this layout and shape; NULL after a failure. An optional flag on a tensor that the
 * model needs is refused: its type and size have not been checked then. Where it is, and that all its bytes are in the
 * file, format.c has checked; the type, which for matrices is the file's choice, is left in b->type.
 */
static const void *take(struct binder *b, uint32_t role, uint32_t layout, uint32_t count, uint32_t rows, uint32_t cols)
{
    struct tensor t;

    if (!skip_to(b, &t, tensor_place(b->section, role))) {
        if (!b->status)
            fail_tensor(b, B2S6_ERROR_TENSOR, "section %u lacks the tensor %s", role, b->section, 0, 0);
        return NULL;
    }
    if (t.flags & FORMAT_TENSOR_OPTIONAL || t.layout != layout) {
        fail_tensor(b, B2S6_ERROR_TENSOR, "section %u: %s has flags or a layout that do not fit", role, b->section, 0, 0);
        return NULL;
    }
    if (t.count != count || t.rows != rows || t.cols != cols) {
        fail_tensor(b, B2S6_ERROR_TENSOR, "%s has the wrong shape: the model needs (%u, %u, %u)", role, count, rows,
                    cols);
        return NULL;
    }
    b->type = t.type;
    b->next++;
    return b->data + (t.offset - b->format->header_bytes);
}

/* Parameters are counted even after a failure: nobody looks at them then. */
const void *b2s6_take_tensor(struct binder *b, uint32_t role, uint32_t count, uint32_t rows, uint32_t cols,
                             uint32_t parameters)
{
    b->parameters += parameters;
    return take(b, role, LAYOUT_PLAIN, count, rows, cols);
}

/* One row, with its padding in the file, so that kernels read whole groups. */
const float *b2s6_take_vector(struct binder *b, uint32_t role, uint32_t n)
{
    return b2s6_take_tensor(b, role, 1, 1, b2s6_pad16(n), n);
}

/* As the kernels read it: 16 channels' values of one plane of one state side by side. */
const float *b2s6_take_lanes(struct binder *b, uint32_t role, uint32_t channels, uint32_t n, uint32_t planes,
                             uint32_t parameters)
{
    return b2s6_take_tensor(b, role, b2s6_pad16(channels) / B2S6_LANES, n * planes, B2S6_LANES, parameters);
}

/*
 * *m is whole after a failure too, with data NULL and a type that every table has: binding goes on to its end without
 * asking, and the binder's status is looked at once. role and section fit, by the bounds of the format: roles are below
 * 128, sections at most 4097.
 */
void b2s6_take_matrix(struct binder *b, struct matrix *m, uint32_t role, uint32_t count, uint32_t rows, uint32_t cols)
{
    m->data = take(b, role, LAYOUT_PANELS, count, rows, cols);
    m->type = (uint8_t)(m->data ? b->type : TYPE_F32);
    m->role = (uint8_t)role;
    m->section = (uint16_t)b->section;
    m->count = count;
    m->rows = rows;
    m->cols = cols;
    b->parameters += (uint64_t)count * rows * cols;
}

/* The converter never quantises these; a file that does is refused rather than run with errors that grow with time. */
void b2s6_take_precise(struct binder *b, struct matrix *m, uint32_t role, uint32_t rows, uint32_t cols)
{
    b2s6_take_matrix(b, m, role, 1, rows, cols);
    if (!b->status && m->type != TYPE_F32) {
        b->next--; /* for the offset in the message: the entry that was just taken */
        fail_tensor(b, B2S6_ERROR_TENSOR, "section %u: %s must be of type f32", role, b->section, 0, 0);
    }
    b2s6_need_prepared(b, m, 1);
}

/* Without a norm both stay as they were, NULL in a new handle; an RMS norm has no bias. */
void b2s6_take_norm(struct binder *b, uint32_t role, uint32_t kind, uint32_t d, const float **weight, const float **bias)
{
    if (kind != B2S6_NORM_NONE)
        *weight = b2s6_take_vector(b, role, d);
    if (kind == B2S6_NORM_LAYER || kind == B2S6_NORM_BATCH)
        *bias = b2s6_take_vector(b, role + 1, d);
}

/* Needs only grow: a workspace serves the widest layer, and all others fit in it. */
static void at_least(uint32_t *need, uint32_t value)
{
    if (*need < value)
        *need = value;
}

/*
 * Room is counted by the type that the file has, since codes and packed rows are different places of a workspace, and a
 * model may need both. Whether a matrix is packed at all depends on the instruction set: the room is counted for any, so
 * that a state has the same size on every machine.
 */
void b2s6_need_prepared(struct binder *b, const struct matrix *m, uint32_t n_parts)
{
    if (matrix_is_packed(m))
        at_least(&b->needs->packed, n_parts * m->cols);
    if (!weights_are_integers(m->type))
        return;
    at_least(&b->needs->codes, n_parts * b2s6_code_width(m->cols));
    at_least(&b->needs->code_parts, n_parts);
}

/* Asks for a place beyond all that a table can have: a tensor that is left must be an optional one. */
void b2s6_take_end(struct binder *b)
{
    struct tensor t;

    (void)skip_to(b, &t, UINT64_MAX);
}
