/*
 * Reads weights: whether they are finite, A stable and constant steps positive. Works on the file's bytes, in its byte
 * order, before a handle is made of them.
 *
 * Nothing here guards memory: whatever the weights are, no kernel reads or writes outside what it was given. It guards
 * sense. A weight that is a NaN spreads through the stream and stays; an A whose real part is not negative lets states
 * grow without end; a step that is not positive turns the decay round. Hosts that have verified a file once may skip it
 * (B2S6_OPEN_TRUST), as reading all weights of a large file takes longer than all else that opening does.
 */
#include "verify.h"

#include "block.h"
#include "status.h"

/* Up to this size of file all weights are read by default: it takes a millisecond or two. b2s6.h has the number too. */
#define READ_ALL_BYTES (4u << 20)

/* Value i, which is at this byte of the tensor: the offset in the error is that of the value itself. */
static b2s6_status fail_value(b2s6_error *error, const struct tensor *t, size_t i, size_t at, const char *text)
{
    return b2s6_fail_at(error, B2S6_ERROR_WEIGHTS, t->offset + at, text, b2s6_role_name(t->role), t->section, i, 0);
}

/*
 * Value i of those at values, which are aligned to their size: tensors are at multiples of 64 of a file whose own
 * alignment opening has checked.
 */
static float value_at(const unsigned char *values, size_t i)
{
    if (!B2S6_BIG_ENDIAN)
        return ((const float *)(const void *)values)[i];
    return b2s6_float_of(b2s6_read32(values + i * sizeof(float)));
}

/* Padding is read, too: it is part of the file, and a writer fills it with finite values. */
static b2s6_status check_finite(const struct tensor *t, const unsigned char *values, b2s6_error *error)
{
    const size_t n = t->bytes / sizeof(float);
    size_t i;

    for (i = 0; i < n; i++)
        if (!b2s6_is_finite(value_at(values, i)))
            return fail_value(error, t, i, i * sizeof(float), "section %u, %s: value %u is infinite or not a number");
    return B2S6_OK;
}

/* Halves are infinite or NaN where all five bits of the exponent are set. */
static b2s6_status check_halves(const struct tensor *t, const unsigned char *values, b2s6_error *error)
{
    const size_t n = t->bytes / 2;
    size_t i;

    for (i = 0; i < n; i++)
        if ((b2s6_read16(values + 2 * i) & 0x7c00) == 0x7c00)
            return fail_value(error, t, i, 2 * i, "section %u, %s: value %u is infinite or not a number");
    return B2S6_OK;
}

/*
 * Any integer is a weight; the scales of every panel must be finite. A scale of 0 or below is allowed: it makes weights
 * of 0, or of the other sign.
 */
static b2s6_status check_scales(const struct tensor *t, const unsigned char *panels, b2s6_error *error)
{
    const size_t panel = (size_t)weights_panel_bytes(t->type, t->cols);
    const uint32_t n = weights_scale_bytes(t->type, t->cols) / 2;
    size_t at;
    uint32_t i;

    for (at = 0; at < t->bytes; at += panel)
        for (i = 0; i < n; i++)
            if (!b2s6_is_finite(weights_scale((uint16_t)b2s6_read16(panels + at + 2 * i))))
                return fail_value(error, t, i, at + 2 * (size_t)i,
                                  "section %u, %s: scale %u of a panel is infinite or not a number");
    return B2S6_OK;
}

/*
 * A remainder is no more than what rounding to a float takes from its turn: half a unit in the last place, in radians (so
 * times pi), with some room; of a turn of 0 next to nothing. A larger one is no damage by itself, but the sine of the
 * rest of an angle is taken as that angle, which only holds for tiny ones (elementary.h).
 */
static int is_remainder(float turn, float lo)
{
    const float most = (turn < 0 ? -turn : turn) * 0x1p-22f + 0x1p-126f;

    return lo <= most && lo >= -most;
}

/*
 * A is (.., planes) with one lane or (.., planes, 16): decay; or decay, turn, turn_lo. Every decay must be negative, the
 * padding's too. The condition is written so that a NaN fails it. An optional tensor never comes here, and a needed one
 * has the shape of the configuration c, so no index leaves it.
 */
static b2s6_status check_stable(const struct tensor *t, const unsigned char *a, const struct layer_config *c,
                                b2s6_error *error)
{
    const uint32_t lanes = config_shares_a(c) ? 1 : B2S6_LANES, planes = config_a_planes(c);
    const size_t n = t->bytes / sizeof(float);
    size_t first, at;
    uint32_t k;

    for (first = 0; first < n; first += planes * lanes)
        for (k = 0; k < lanes; k++) {
            at = first + A_DECAY * lanes + k;
            if (!(value_at(a, at) < 0))
                return fail_value(error, t, at, at * sizeof(float),
                                  "section %u, %s: value %u, the real part of A, is not negative");
            at = first + A_TURN_LO * lanes + k;
            if (planes == A_PLANES_COMPLEX && !is_remainder(value_at(a, at - lanes), value_at(a, at)))
                return fail_value(error, t, at, at * sizeof(float),
                                  "section %u, %s: value %u is more than the remainder of a turn");
        }
    return B2S6_OK;
}

/* d values of a tensor that is padded: the padding's steps may be 0, as channels that do not exist may stand still. */
static b2s6_status check_positive(const struct tensor *t, const unsigned char *values, uint32_t d, b2s6_error *error)
{
    uint32_t i;

    for (i = 0; i < d; i++)
        if (!(value_at(values, i) > 0))
            return fail_value(error, t, i, i * sizeof(float), "section %u, %s: value %u, a constant step, is not positive");
    return B2S6_OK;
}

/*
 * One tensor of a layer of this configuration; of encoder and head c is not looked at, as their roles are others. Codes
 * of a matrix of integers are all weights; halves and floats are looked at one by one.
 */
static b2s6_status check_tensor(const struct tensor *t, const unsigned char *data, const struct layer_config *c,
                                b2s6_error *error)
{
    b2s6_status status;

    if (weights_are_integers(t->type))
        return check_scales(t, data, error);
    if (B2S6_HAS_F16 && t->type == TYPE_F16)
        return check_halves(t, data, error);
    status = check_finite(t, data, error);
    if (!status && (t->role == ROLE_UNIT + UNIT_A || t->role == ROLE_UNIT_BACKWARDS + UNIT_A))
        status = check_stable(t, data, c, error);
    if (!status && config_delta(c) == B2S6_DELTA_CONSTANT &&
        (t->role == ROLE_UNIT + UNIT_DELTA || t->role == ROLE_UNIT_BACKWARDS + UNIT_DELTA))
        status = check_positive(t, data, c->d_inner, error);
    return status;
}

/*
 * All tensors, or those that are no matrices. Layers' configurations are read once more beside their tensors, in step with
 * the table, which ascends by section: a handle would have them, but there is none yet, and holding all of them would
 * take memory. They have been read without a failure before; the reader's status is returned all the same.
 */
static b2s6_status check_tensors(const struct format *f, int all, b2s6_error *error)
{
    struct config_reader r = { f, 0, 0, B2S6_OK, error };
    struct model_config config;
    struct layer layer;
    b2s6_status status = B2S6_OK;
    struct tensor t;
    uint32_t i;

    memset(&layer, 0, sizeof layer);
    b2s6_config_model(&r, &config);
    for (i = 0; !status && !r.status && i < f->n_tensors; i++) {
        b2s6_format_tensor(&t, f->tensors, i);
        while (!r.status && r.section <= t.section && r.section <= config.n_layers)
            b2s6_layer_config(&r, &layer, &config);
        if (!(t.flags & FORMAT_TENSOR_OPTIONAL) && (all || t.layout == LAYOUT_PLAIN))
            status = check_tensor(&t, f->file + t.offset, &layer.config, error);
    }
    return status ? status : r.status;
}

/* The checksum first: where it fails, every message about a value would mislead. It covers what is optional as well. */
b2s6_status b2s6_verify(const struct format *f, uint32_t flags, b2s6_error *error)
{
    const int all = flags & B2S6_OPEN_VERIFY || f->file_bytes <= READ_ALL_BYTES;
    b2s6_status status;

    if (!B2S6_HAS_VERIFY || flags & B2S6_OPEN_TRUST)
        return B2S6_OK;
    if (all && (status = b2s6_format_verify(f, error)) != B2S6_OK)
        return status;
    return check_tensors(f, all, error);
}
