/* A stream's state as portable bytes (docs/format.md, Snapshots): saved on one machine, taken up on another. */
#include "crc32.h"
#include "state.h"

enum {
    SNAPSHOT_HEADER_BYTES = 64,
    AT_VERSION = 8, AT_CRC = 12, AT_FINGERPRINT = 16, AT_STEPS = 24, AT_BYTES = 32, AT_RESERVED = 40
};

static const unsigned char magic[8] = { 0x89, 'B', '2', 'S', '6', 'S', 0x0d, 0x0a };

static void write32(unsigned char *p, uint32_t x)
{
    p[0] = (unsigned char)x;
    p[1] = (unsigned char)(x >> 8);
    p[2] = (unsigned char)(x >> 16);
    p[3] = (unsigned char)(x >> 24);
}

static void write64(unsigned char *p, uint64_t x)
{
    write32(p, (uint32_t)x);
    write32(p + 4, (uint32_t)(x >> 32));
}

/* The float arrays of a state, one after another: what they hold and which of their lanes are padding. */
struct part {
    size_t offset;       /* from the state's address */
    size_t n;            /* floats */
    size_t group;        /* floats from one group of 16 channels to the next */
    size_t row;          /* floats after which the channels begin again */
    uint32_t width;      /* channels that are not padding */
};

/* Part number i of a state of this model; 0 when there are no more. */
static int find_part(const struct b2s6_model *model, size_t i, struct part *part)
{
    const struct config *c = &model->config;
    const struct state_layout *l = &model->state;
    const size_t layers = c->bidirectional ? 1 : c->n_layers, di = b2s6_pad16(c->d_inner), d = b2s6_pad16(c->d_model);

    part->width = c->d_inner;
    if (i < layers) {
        part->offset = l->units_at + i * l->unit_bytes;
        part->group = (size_t)B2S6_LANES * c->d_state * config_planes(c);
        part->n = part->row = di / B2S6_LANES * part->group;
        return 1;
    }
    part->group = B2S6_LANES;
    if (l->window_bytes && i < 2 * layers) {
        part->offset = l->windows_at + (i - layers) * l->window_bytes;
        part->n = (c->d_conv - 1) * di;
        part->row = di;
        return 1;
    }
    if (l->pool_bytes && i == (l->window_bytes ? 2 * layers : layers)) {
        part->offset = l->pool_at;
        part->n = 2 * d;
        part->row = d;
        part->width = c->d_model;
        return 1;
    }
    return 0;
}

/* Whether float i of a part is a channel's, not padding. */
static int is_channel(const struct part *part, size_t i)
{
    return i % part->row / part->group * B2S6_LANES + i % B2S6_LANES < part->width;
}

size_t b2s6_snapshot_size(const b2s6_model *model)
{
    size_t i, bytes = SNAPSHOT_HEADER_BYTES;
    struct part part;

    if (!model)
        return 0;
    if (model->state.size == SIZE_MAX)
        return SIZE_MAX; /* there is no such state on this machine */
    for (i = 0; find_part(model, i, &part); i++)
        bytes += part.n * sizeof(float);
    return bytes;
}

static uint32_t snapshot_crc(const unsigned char *snapshot, size_t size)
{
    static const unsigned char zero[4] = { 0, 0, 0, 0 };
    uint32_t crc = b2s6_crc32(0, snapshot, AT_CRC);

    crc = b2s6_crc32(crc, zero, sizeof zero);
    return b2s6_crc32(crc, snapshot + AT_CRC + 4, size - AT_CRC - 4);
}

b2s6_status b2s6_state_save(const b2s6_state *state, void *snapshot, size_t size)
{
    unsigned char *bytes = snapshot, *p;
    struct part part;
    const float *x;
    size_t i, k, total;

    if (!state || !snapshot)
        return B2S6_ERROR_ARGUMENT;
    total = b2s6_snapshot_size(state->model);
    if (size < total)
        return B2S6_ERROR_SIZE;
    memset(bytes, 0, SNAPSHOT_HEADER_BYTES);
    memcpy(bytes, magic, sizeof magic);
    write32(bytes + AT_VERSION, 1);
    write64(bytes + AT_FINGERPRINT, state->model->fingerprint);
    write64(bytes + AT_STEPS, state->n_steps);
    write64(bytes + AT_BYTES, total);
    p = bytes + SNAPSHOT_HEADER_BYTES;
    for (i = 0; find_part(state->model, i, &part); i++) {
        x = (const float *)(const void *)((const unsigned char *)state + part.offset);
        for (k = 0; k < part.n; k++, p += 4) /* padding as zero and one NaN for all, so that equal states give equal bytes */
            write32(p, !is_channel(&part, k) ? 0 : x[k] != x[k] ? 0x7fc00000u : b2s6_bits_of(x[k]));
    }
    write32(bytes + AT_CRC, snapshot_crc(bytes, total));
    return B2S6_OK;
}

b2s6_status b2s6_state_restore(b2s6_state *state, const void *snapshot, size_t size)
{
    const unsigned char *bytes = snapshot, *p;
    struct part part;
    size_t i, k;
    float *x;

    if (!state || !snapshot)
        return B2S6_ERROR_ARGUMENT;
    if (size < SNAPSHOT_HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return B2S6_ERROR_SNAPSHOT;
    if (b2s6_read32(bytes + AT_VERSION) != 1)
        return B2S6_ERROR_VERSION;
    if (b2s6_read64(bytes + AT_BYTES) != size || snapshot_crc(bytes, size) != b2s6_read32(bytes + AT_CRC))
        return B2S6_ERROR_SNAPSHOT;
    if (b2s6_read64(bytes + AT_FINGERPRINT) != state->model->fingerprint)
        return B2S6_ERROR_MODEL;
    if (size != b2s6_snapshot_size(state->model))
        return B2S6_ERROR_SNAPSHOT;
    for (i = AT_RESERVED; i < SNAPSHOT_HEADER_BYTES; i++)
        if (bytes[i])
            return B2S6_ERROR_SNAPSHOT;
    b2s6_state_reset(state);
    p = bytes + SNAPSHOT_HEADER_BYTES;
    for (i = 0; find_part(state->model, i, &part); i++) {
        x = (float *)(void *)((unsigned char *)state + part.offset);
        for (k = 0; k < part.n; k++, p += 4)
            x[k] = is_channel(&part, k) ? b2s6_float_of(b2s6_read32(p)) : 0.0f;
    }
    state->n_steps = b2s6_read64(bytes + AT_STEPS);
    return B2S6_OK;
}
