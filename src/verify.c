#include "verify.h"

#include "bind.h"
#include "status.h"

/* Up to this size of file all weights are read by default; it takes about as long as mapping a large one. */
#define READ_ALL_BYTES (4u << 20)

/* Value i, which lies at this byte of the tensor. */
static b2s6_status fail_value(b2s6_error *error, const struct tensor *t, uint64_t i, uint64_t at, const char *text)
{
    return b2s6_fail_at(error, B2S6_ERROR_WEIGHTS, t->offset + at, text, b2s6_role_name(t->role), t->section, i, 0);
}

static b2s6_status check_finite(const struct tensor *t, const float *x, b2s6_error *error)
{
    uint64_t i, n = t->bytes / sizeof(float);

    for (i = 0; i < n; i++)
        if (!b2s6_is_finite(x[i]))
            return fail_value(error, t, i, i * sizeof(float), "section %u, %s: value %u is infinite or not a number");
    return B2S6_OK;
}

static b2s6_status check_halves(const struct tensor *t, const uint16_t *x, b2s6_error *error)
{
    uint64_t i, n = t->bytes / sizeof *x;

    for (i = 0; i < n; i++)
        if ((x[i] & 0x7c00) == 0x7c00)
            return fail_value(error, t, i, i * sizeof *x, "section %u, %s: value %u is infinite or not a number");
    return B2S6_OK;
}

/* Any integer is a weight; the scales of every panel must be finite. */
static b2s6_status check_scales(const struct tensor *t, const unsigned char *panels, b2s6_error *error)
{
    const uint64_t panel = weights_panel_bytes(t->type, t->cols);
    const uint32_t n = weights_scale_bytes(t->type, t->cols) / 2;
    const uint16_t *scales;
    uint64_t at;
    uint32_t i;

    for (at = 0; at < t->bytes; at += panel) {
        scales = (const uint16_t *)(const void *)(panels + at);
        for (i = 0; i < n; i++)
            if (!b2s6_is_finite(weights_scale(scales[i])))
                return fail_value(error, t, i, at + 2 * (uint64_t)i,
                                  "section %u, %s: scale %u of a panel is infinite or not a number");
    }
    return B2S6_OK;
}

/*
 * A is (.., 2 cx) with one lane or (.., 2 cx, 16): decay hi, decay lo and so on. Every decay must be negative, and every lo no
 * more than what rounding took from its hi, or it could turn the sign.
 */
static b2s6_status check_stable(const struct tensor *t, const float *a, const struct config *c, b2s6_error *error)
{
    const uint32_t lanes = c->a_scope == B2S6_SCOPE_LAYER ? 1 : B2S6_LANES, state = 2 * config_planes(c) * lanes;
    uint64_t i, n = t->bytes / sizeof(float);
    float whole;

    for (i = 0; i < n; i++) { /* lanes and state are powers of two */
        if ((i & (state - 1)) < lanes && !(a[i] < 0))
            return fail_value(error, t, i, i * sizeof(float),
                              "section %u, %s: value %u, the real part of A, is not negative");
        if (i & lanes)
            continue;
        whole = a[i] + a[i + lanes];
        if (whole != a[i])
            return fail_value(error, t, i + lanes, (i + lanes) * sizeof(float),
                              "section %u, %s: value %u is more than the remainder of a hi part");
    }
    return B2S6_OK;
}

static b2s6_status check_positive(const struct tensor *t, const float *x, uint32_t d, b2s6_error *error)
{
    uint64_t i;

    for (i = 0; i < d; i++)
        if (!(x[i] > 0))
            return fail_value(error, t, i, i * sizeof(float), "section %u, %s: value %u, a constant step, is not positive");
    return B2S6_OK;
}

static b2s6_status check_tensor(const struct b2s6_model *m, const struct tensor *t, const void *data, b2s6_error *error)
{
    const struct config *c = &m->config;
    const float *x = data;
    b2s6_status status;

    if (weights_are_integers(t->type))
        return check_scales(t, data, error);
    if (B2S6_HAS_F16 && t->type == TYPE_F16)
        return check_halves(t, data, error);
    status = check_finite(t, x, error);
    if (!status && (t->role == ROLE_A || t->role == ROLE_A_BACKWARDS))
        status = check_stable(t, x, c, error);
    if (!status && c->delta == B2S6_DELTA_CONSTANT && (t->role == ROLE_DELTA_BIAS || t->role == ROLE_DELTA_BIAS_BACKWARDS))
        status = check_positive(t, x, c->d_inner, error);
    return status;
}

b2s6_status b2s6_verify(const struct b2s6_model *model, const struct format *f, const unsigned char *data, uint32_t flags,
                        b2s6_error *error)
{
    int all = flags & B2S6_OPEN_VERIFY || f->file_bytes <= READ_ALL_BYTES;
    b2s6_status status = B2S6_OK;
    struct tensor t;
    uint32_t i;

    if (!B2S6_HAS_VERIFY || flags & B2S6_OPEN_TRUST)
        return B2S6_OK;
    if (all)
        status = b2s6_format_verify(f, error);
    for (i = 0; !status && i < f->n_tensors; i++) {
        t = b2s6_format_tensor(f, i);
        if (!(t.flags & FORMAT_TENSOR_OPTIONAL) && (all || t.layout == LAYOUT_PLAIN))
            status = check_tensor(model, &t, data + (t.offset - f->header_bytes), error);
    }
    return status;
}
