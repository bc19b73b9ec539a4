/* A stream's state as portable bytes (docs/format.md, Snapshots): saved on one machine, taken up on another. */
#include "crc32.h"
#include "state.h"

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

/* Whether float i of a part is a channel's, not padding. */
static int is_channel(const struct state_part *part, size_t i)
{
    const size_t group = (size_t)part->planes * B2S6_LANES, row = b2s6_pad16(part->width) / B2S6_LANES * group;

    return i % row / group * B2S6_LANES + i % B2S6_LANES < part->width;
}

size_t b2s6_snapshot_size(const b2s6_model *model)
{
    size_t bytes = SNAPSHOT_HEADER_BYTES;
    struct part_walk walk;

    if (!model)
        return 0;
    if (model->state.size == SIZE_MAX)
        return SIZE_MAX; /* there is no such state on this machine */
    memset(&walk, 0, sizeof walk);
    while (b2s6_next_part(model, &walk))
        bytes += (size_t)part_floats(&walk.part) * sizeof(float);
    return bytes;
}

/* The checksum is taken with its own four bytes as zero. */
static uint32_t snapshot_crc(const unsigned char *snapshot, size_t size)
{
    static const unsigned char zero[4] = { 0, 0, 0, 0 };
    uint32_t crc = b2s6_crc32(0, snapshot, SNAPSHOT_AT_CRC);

    crc = b2s6_crc32(crc, zero, sizeof zero);
    return b2s6_crc32(crc, snapshot + SNAPSHOT_AT_CRC + 4, size - SNAPSHOT_AT_CRC - 4);
}

b2s6_status b2s6_state_save(const b2s6_state *state, void *snapshot, size_t size)
{
    unsigned char *bytes = snapshot, *p;
    struct part_walk walk;
    const float *x;
    size_t k, n, total;

    if (!state || !snapshot)
        return B2S6_ERROR_ARGUMENT;
    total = b2s6_snapshot_size(state->model);
    if (size < total)
        return B2S6_ERROR_SIZE;
    memset(bytes, 0, SNAPSHOT_HEADER_BYTES);
    memcpy(bytes, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_BYTES);
    write32(bytes + SNAPSHOT_AT_VERSION, SNAPSHOT_VERSION);
    write64(bytes + SNAPSHOT_AT_FINGERPRINT, state->model->fingerprint);
    write64(bytes + SNAPSHOT_AT_STEPS, state->n_steps);
    write64(bytes + SNAPSHOT_AT_BYTES, total);
    write32(bytes + SNAPSHOT_AT_ARITHMETIC, FORMAT_ARITHMETIC);
    p = bytes + SNAPSHOT_HEADER_BYTES;
    memset(&walk, 0, sizeof walk);
    while (b2s6_next_part(state->model, &walk)) {
        x = (const float *)(const void *)((const unsigned char *)state + walk.at);
        n = (size_t)part_floats(&walk.part);
        for (k = 0; k < n; k++, p += 4) /* padding as zero and one NaN for all, so that equal states give equal bytes */
            write32(p, !is_channel(&walk.part, k) ? 0 : x[k] != x[k] ? 0x7fc00000u : b2s6_bits_of(x[k]));
    }
    write32(bytes + SNAPSHOT_AT_CRC, snapshot_crc(bytes, total));
    return B2S6_OK;
}

/* Everything that can be wrong with a snapshot of size bytes for this model. */
static b2s6_status check_snapshot(const struct b2s6_model *model, const unsigned char *bytes, size_t size)
{
    const size_t total = b2s6_snapshot_size(model);
    uint64_t claimed;
    size_t i;

    if (size < SNAPSHOT_HEADER_BYTES || memcmp(bytes, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_BYTES) != 0)
        return B2S6_ERROR_SNAPSHOT;
    if (b2s6_read32(bytes + SNAPSHOT_AT_VERSION) != SNAPSHOT_VERSION)
        return B2S6_ERROR_VERSION;
    claimed = b2s6_read64(bytes + SNAPSHOT_AT_BYTES);
    if (claimed > size || claimed < SNAPSHOT_HEADER_BYTES ||
        snapshot_crc(bytes, (size_t)claimed) != b2s6_read32(bytes + SNAPSHOT_AT_CRC))
        return B2S6_ERROR_SNAPSHOT;
    if (b2s6_read32(bytes + SNAPSHOT_AT_ARITHMETIC) != FORMAT_ARITHMETIC)
        return B2S6_ERROR_VERSION;
    if (b2s6_read64(bytes + SNAPSHOT_AT_FINGERPRINT) != model->fingerprint)
        return B2S6_ERROR_MODEL;
    if (claimed != total)
        return B2S6_ERROR_SNAPSHOT;
    for (i = SNAPSHOT_AT_RESERVED; i < SNAPSHOT_HEADER_BYTES; i++)
        if (bytes[i])
            return B2S6_ERROR_SNAPSHOT;
    return B2S6_OK;
}

b2s6_status b2s6_state_restore(b2s6_state *state, const void *snapshot, size_t size)
{
    const unsigned char *bytes = snapshot, *p;
    struct part_walk walk;
    b2s6_status status;
    size_t k, n;
    float *x;

    if (!state || !snapshot)
        return B2S6_ERROR_ARGUMENT;
    status = check_snapshot(state->model, bytes, size);
    if (status)
        return status;
    b2s6_state_reset(state);
    p = bytes + SNAPSHOT_HEADER_BYTES;
    memset(&walk, 0, sizeof walk);
    while (b2s6_next_part(state->model, &walk)) {
        x = (float *)(void *)((unsigned char *)state + walk.at);
        n = (size_t)part_floats(&walk.part);
        for (k = 0; k < n; k++, p += 4)
            x[k] = is_channel(&walk.part, k) ? b2s6_float_of(b2s6_read32(p)) : 0.0f;
    }
    state->n_steps = b2s6_read64(bytes + SNAPSHOT_AT_STEPS);
    return B2S6_OK;
}
