#include "bind.h"

#include "status.h"

enum {
    ROLE_EMBEDDING = 1, ROLE_ENCODER = 2, ROLE_ENCODER_BIAS = 3,
    ROLE_NORM_WEIGHT = 16, ROLE_NORM_BIAS = 17,
    ROLE_IN_PROJ = 20, ROLE_IN_BIAS = 21, ROLE_CONV_WEIGHT = 22, ROLE_CONV_BIAS = 23,
    ROLE_UNIT = 32, ROLE_UNIT_BACKWARDS = 64,
    UNIT_W = 0, UNIT_X = 1, UNIT_DT = 2, UNIT_DELTA = 3, UNIT_A = 4, UNIT_A_INVERSE = 5, UNIT_BC = 6, UNIT_B_BIAS = 7,
    UNIT_C = 8, UNIT_D = 9,
    ROLE_OUT = 96, ROLE_OUT_BIAS = 97,
    ROLE_FINAL_NORM_WEIGHT = 112, ROLE_FINAL_NORM_BIAS = 113, ROLE_HEAD = 114, ROLE_HEAD_BIAS = 115
};

#if B2S6_HAS_MESSAGES

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

/* Walks the table once: the table ascends, and so do the calls of take_tensor. After the first failure it does nothing. */
struct cursor {
    const struct format *format;
    const unsigned char *data; /* the data section */
    uint32_t next;             /* entry */
    uint32_t section;
    uint64_t parameters;       /* weights without padding, so far */
    uint32_t type;             /* of the tensor that was taken last */
    uint64_t of_type[N_TYPES]; /* weights in matrices of each type, so far */
    struct b2s6_model *model;
    b2s6_status status;
    b2s6_error *error;
};

static uint64_t entry_at(const struct cursor *c)
{
    return (uint64_t)(c->format->tensors - c->format->file) + (uint64_t)c->next * FORMAT_TENSOR_ENTRY_BYTES;
}

static void fail_tensor(struct cursor *c, b2s6_status status, const char *text, uint32_t role, uint64_t a, uint64_t b,
                        uint64_t d)
{
    c->status = b2s6_fail_at(c->error, status, entry_at(c), text, b2s6_role_name(role), a, b, d);
}

/* Steps over entries that come before (section, role) and are optional; anything else before it is a failure. */
static void skip_to(struct cursor *c, uint64_t order)
{
    struct tensor t;

    for (; !c->status && c->next < c->format->n_tensors; c->next++) {
        t = b2s6_format_tensor(c->format, c->next);
        if (((uint64_t)t.section << 16 | t.role) >= order)
            return;
        if (!(t.flags & FORMAT_TENSOR_OPTIONAL))
            fail_tensor(c, B2S6_ERROR_UNSUPPORTED, "section %u holds a tensor with role %u (%s) that the model does not use",
                        t.role, t.section, t.role, 0);
    }
}

/* The next tensor must be this one. Returns where its values lie, NULL after a failure. */
static const void *take_tensor(struct cursor *c, uint32_t role, uint32_t layout, uint64_t count, uint64_t rows,
                               uint64_t cols)
{
    struct tensor t;

    skip_to(c, (uint64_t)c->section << 16 | role);
    if (c->status)
        return NULL;
    if (c->next == c->format->n_tensors) {
        fail_tensor(c, B2S6_ERROR_TENSOR, "section %u lacks the tensor %s", role, c->section, 0, 0);
        return NULL;
    }
    t = b2s6_format_tensor(c->format, c->next);
    if (t.section != c->section || t.role != role) {
        fail_tensor(c, B2S6_ERROR_TENSOR, "section %u lacks the tensor %s", role, c->section, 0, 0);
        return NULL;
    }
    if (t.flags & FORMAT_TENSOR_OPTIONAL || t.layout != layout) {
        fail_tensor(c, B2S6_ERROR_TENSOR, "section %u: %s has flags or a layout that do not fit", role, c->section, 0, 0);
        return NULL;
    }
    if (t.count != count || t.rows != rows || t.cols != cols) {
        fail_tensor(c, B2S6_ERROR_TENSOR, "%s has the wrong shape: the model needs (%u, %u, %u)", role, count, rows, cols);
        return NULL;
    }
    c->type = t.type;
    c->next++;
    return c->data + (t.offset - c->format->header_bytes);
}

/* A vector of n values, padded to whole groups. */
static const float *take_vector(struct cursor *c, uint32_t role, uint32_t n)
{
    c->parameters += n;
    return take_tensor(c, role, LAYOUT_PLAIN, 1, 1, b2s6_pad16(n));
}

/* A matrix of any type. */
static struct matrix take_matrix(struct cursor *c, uint32_t role, uint32_t count, uint32_t rows, uint32_t cols)
{
    struct matrix m;

    m.data = take_tensor(c, role, LAYOUT_PANELS, count, rows, cols);
    m.type = m.data ? c->type : TYPE_F32;
    m.count = count;
    m.rows = rows;
    m.cols = cols;
    c->parameters += (uint64_t)count * rows * cols;
    c->of_type[m.type] += (uint64_t)count * rows * cols;
    return m;
}

/* A product with m takes rows of n_parts times its columns: the model needs room for them packed, or as integers. */
static void need_room(struct cursor *c, const struct matrix *m, uint32_t n_parts)
{
    const uint32_t width = n_parts * b2s6_code_width(m->cols);

    if (b2s6_is_packed(m) && c->model->pack_width < n_parts * m->cols)
        c->model->pack_width = n_parts * m->cols;
    if (!weights_are_integers(m->type))
        return;
    if (c->model->code_width < width)
        c->model->code_width = width;
    if (c->model->code_parts < n_parts)
        c->model->code_parts = n_parts;
}

/* A matrix that must be of floats. */
static struct matrix take_precise(struct cursor *c, uint32_t role, uint32_t rows, uint32_t cols)
{
    const uint32_t entry = c->next;
    const struct matrix m = take_matrix(c, role, 1, rows, cols);

    if (!c->status && m.type != TYPE_F32) {
        c->next = entry; /* for the offset in the message */
        skip_to(c, (uint64_t)c->section << 16 | role);
        fail_tensor(c, B2S6_ERROR_TENSOR, "section %u: %s must be of type f32", role, c->section, 0, 0);
    }
    need_room(c, &m, 1);
    return m;
}

/* What most weights are stored as. */
static uint32_t main_type(const struct cursor *c)
{
    uint32_t type, best = TYPE_F32;

    for (type = TYPE_F32; type < N_TYPES; type++)
        if (c->of_type[type] > c->of_type[best])
            best = type;
    return best;
}

/* Values of every channel and state. trained: how many of the planes are weights; lo parts and 1/A are not. */
static const float *take_lanes(struct cursor *c, uint32_t role, const struct config *g, uint32_t planes, uint32_t trained)
{
    c->parameters += (uint64_t)trained * g->d_state * g->d_inner;
    return take_tensor(c, role, LAYOUT_PLAIN, b2s6_pad16(g->d_inner) / B2S6_LANES, (uint64_t)g->d_state * planes,
                       B2S6_LANES);
}

static void take_norm(struct cursor *c, uint32_t role, uint32_t kind, uint32_t d, const float **weight, const float **bias)
{
    if (kind != B2S6_NORM_NONE)
        *weight = take_vector(c, role, d);
    if (kind == B2S6_NORM_LAYER || kind == B2S6_NORM_BATCH)
        *bias = take_vector(c, role + 1, d);
}

static const float *take_a(struct cursor *c, uint32_t role, const struct config *g)
{
    uint32_t planes = 2 * config_planes(g), owners = g->a_scope == B2S6_SCOPE_BLOCK ? g->h : 1;

    if (g->a_scope == B2S6_SCOPE_CHANNEL)
        return take_lanes(c, role, g, planes, config_planes(g));
    c->parameters += (uint64_t)owners * g->d_state * config_planes(g);
    if (g->a_scope == B2S6_SCOPE_BLOCK)
        return take_lanes(c, role, g, planes, 0);
    return take_tensor(c, role, LAYOUT_PLAIN, 1, g->d_state, planes);
}

static void take_unit(struct cursor *c, uint32_t role, const struct config *g, struct unit *u)
{
    uint32_t d = g->d_inner, planes = config_planes(g);

    if (g->delta == B2S6_DELTA_BLOCK)
        u->w = take_vector(c, role + UNIT_W, d);
    if (B2S6_HAS_DELTA_LOWRANK && g->delta == B2S6_DELTA_LOWRANK) {
        u->x_weight = take_precise(c, role + UNIT_X, g->dt_rank, d);
        u->dt_weight = take_precise(c, role + UNIT_DT, d, g->dt_rank);
    }
    u->delta_bias = take_vector(c, role + UNIT_DELTA, d);
    u->a = take_a(c, role + UNIT_A, g);
    if (config_has_a_inverse(g))
        u->a_inverse = take_lanes(c, role + UNIT_A_INVERSE, g, planes, 0);
    if (config_bc_rows(g)) {
        u->bc = take_matrix(c, role + UNIT_BC, g->h, config_bc_rows(g), d / g->h);
        need_room(c, &u->bc, g->h);
    }
    if (g->b & B_HAS_BIAS)
        u->b_bias = take_lanes(c, role + UNIT_B_BIAS, g, planes, planes);
    if (g->c == C_CONSTANT)
        u->c = take_lanes(c, role + UNIT_C, g, g->c_complex ? 2 : 1, g->c_complex ? 2 : 1);
    if (g->skip)
        u->d = take_vector(c, role + UNIT_D, d);
}

static void take_layer(struct cursor *c, const struct config *g, struct layer *l)
{
    take_norm(c, ROLE_NORM_WEIGHT, g->norm, g->d_model, &l->norm_weight, &l->norm_bias);
    if (config_is_mamba(g)) {
        l->in_proj = take_matrix(c, ROLE_IN_PROJ, 2, g->d_inner, g->d_model);
        need_room(c, &l->in_proj, 1);
        if (g->projection_biases & BIAS_IN_PROJ) {
            c->parameters += 2 * (uint64_t)g->d_inner;
            l->in_bias = take_tensor(c, ROLE_IN_BIAS, LAYOUT_PLAIN, 2, 1, b2s6_pad16(g->d_inner));
        }
        c->parameters += (uint64_t)g->d_conv * g->d_inner;
        l->conv_weight = take_tensor(c, ROLE_CONV_WEIGHT, LAYOUT_PLAIN, 1, g->d_conv, b2s6_pad16(g->d_inner));
        l->conv_bias = take_vector(c, ROLE_CONV_BIAS, g->d_inner);
    }
    take_unit(c, ROLE_UNIT, g, &l->unit[0]);
    if (config_is_bidirectional(g))
        take_unit(c, ROLE_UNIT_BACKWARDS, g, &l->unit[1]);
    if (!config_is_mamba(g)) {
        l->out = take_matrix(c, ROLE_OUT, 2, g->d_model, g->d_model);
        c->parameters += 2 * (uint64_t)g->d_model;
        l->out_bias = take_tensor(c, ROLE_OUT_BIAS, LAYOUT_PLAIN, 2, 1, b2s6_pad16(g->d_model));
    } else {
        l->out = take_matrix(c, ROLE_OUT, 1, g->d_model, g->d_inner);
        if (g->projection_biases & BIAS_OUT_PROJ)
            l->out_bias = take_vector(c, ROLE_OUT_BIAS, g->d_model);
    }
    need_room(c, &l->out, 1);
}

b2s6_status b2s6_bind(struct b2s6_model *model, struct layer *layers, const struct format *f, const unsigned char *data,
                      b2s6_error *error)
{
    const struct config *g = &model->config;
    struct cursor c;
    uint32_t i;

    memset(&c, 0, sizeof c);
    c.format = f;
    c.data = data;
    c.error = error;
    c.model = model;
    if (g->input_kind == B2S6_TOKENS) {
        model->embedding = take_matrix(&c, ROLE_EMBEDDING, 1, g->input_size, g->d_model);
    } else {
        model->encoder = take_precise(&c, ROLE_ENCODER, g->d_model, g->input_size);
        model->encoder_bias = take_vector(&c, ROLE_ENCODER_BIAS, g->d_model);
    }
    for (i = 0; i < g->n_layers && !c.status; i++) {
        c.section = i + 1;
        take_layer(&c, g, &layers[i]);
    }
    c.section = g->n_layers + 1;
    take_norm(&c, ROLE_FINAL_NORM_WEIGHT, g->final_norm, g->d_model, &model->final_norm_weight, &model->final_norm_bias);
    if (g->head_tied)
        model->head = model->embedding;
    else if (g->head_size)
        model->head = take_matrix(&c, ROLE_HEAD, 1, g->head_size, g->d_model);
    if (g->head_size)
        need_room(&c, &model->head, 1);
    if (g->head_bias)
        model->head_bias = take_vector(&c, ROLE_HEAD_BIAS, g->head_size);
    skip_to(&c, UINT64_MAX);
    model->parameter_count = c.parameters;
    model->weight_type = main_type(&c);
    return c.status;
}
