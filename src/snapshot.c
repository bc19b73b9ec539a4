/*
 * A stream's state as portable bytes (docs/format.md, Snapshots): saved on one machine, taken up on another. The
 * memory of a state is not portable (byte order, pointers, layout of another version), so parts are written value by
 * value, in the order of b2s6_next_part:
 *
 *     header, 64 bytes | layer 0's states | layer 0's window | layer 1's states | ... | sum and lost of a mean
 *
 * Restoring reads bytes that anybody may have made. Everything is checked before the first byte of the state is
 * touched. The values themselves are not judged: no number in a state can make the library read or write anywhere
 * else, a forged one merely makes the output meaningless.
 */
#include "crc32.h"
#include "state.h"

/* Little-endian, byte by byte: any alignment of p, any byte order of the machine. The readers are in common.h. */
static void write32(unsigned char *p, uint32_t x)
{
    p[0] = (unsigned char)x;
    p[1] = (unsigned char)(x >> 8);
    p[2] = (unsigned char)(x >> 16);
    p[3] = (unsigned char)(x >> 24);
}

/* The low half first. */
static void write64(unsigned char *p, uint64_t x)
{
    write32(p, (uint32_t)x);
    write32(p + 4, (uint32_t)(x >> 32));
}

/*
 * Whether float i of a part is a channel's, not padding. A part is (rows, groups, planes, 16 lanes): group is the
 * floats of all planes of 16 channels, row those of all groups. A channel is 16 times its group plus its lane; since
 * group is a multiple of 16, the lane is i % 16 without further ado.
 */
static int is_channel(const struct state_part *part, size_t i)
{
    const size_t group = (size_t)part->planes * B2S6_LANES, row = b2s6_pad16(part->width) / B2S6_LANES * group;

    return i % row / group * B2S6_LANES + i % B2S6_LANES < part->width;
}

/* Cannot wrap: the parts, padding included, are in the state as well, whose size is addressable. */
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
        /* a float is four bytes in the snapshot and in the state */
        bytes += (size_t)part_floats(&walk.part) * sizeof(float);
    return bytes;
}

/*
 * The checksum is taken with its own four bytes as zero. Three calls do that without writing to the snapshot, which is
 * the caller's and may be in flash. size is at least a header.
 */
static uint32_t snapshot_crc(const unsigned char *snapshot, size_t size)
{
    static const unsigned char zero[4] = { 0, 0, 0, 0 };
    uint32_t crc = b2s6_crc32(0, snapshot, SNAPSHOT_AT_CRC);

    crc = b2s6_crc32(crc, zero, sizeof zero);
    return b2s6_crc32(crc, snapshot + SNAPSHOT_AT_CRC + 4, size - SNAPSHOT_AT_CRC - 4);
}

/*
 * Writes b2s6_snapshot_size bytes; what is beyond them is not touched. Equal states give equal bytes, so
 * that hosts can compare and deduplicate them: padding is written as zero whatever it holds, and every NaN
 * as one, since machines differ in the NaN that an operation gives. The checksum comes last, over all
 * else.
 */
b2s6_status b2s6_state_save(const b2s6_state *state, void *snapshot, size_t size)
{
    unsigned char *bytes = snapshot, *p;
    struct part_walk walk;
    const float *x;
    size_t k, n, total;

    if (!state || !snapshot)
        return B2S6_ERROR_ARGUMENT;
    /* a state is there, so this machine can address one: never SIZE_MAX */
    total = b2s6_snapshot_size(state->model);
    if (size < total)
        return B2S6_ERROR_SIZE;
    /* the reserved bytes stay zero, and so does the checksum while it is taken */
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

/*
 * Everything that can be wrong with a snapshot of size bytes for this model. The order tells damage from a mix-up:
 * first whether it is a snapshot of a version whose fields are where we look for them, then whether it is whole; only
 * of bytes that are known to be as written is it worth saying that they belong to another model. The claimed size is
 * compared before it is used, so nothing beyond size is read. A snapshot may be followed by other bytes.
 */
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
    /* claimed is at most size after this, so it fits size_t */
    if (claimed > size || claimed < SNAPSHOT_HEADER_BYTES ||
        snapshot_crc(bytes, (size_t)claimed) != b2s6_read32(bytes + SNAPSHOT_AT_CRC))
        return B2S6_ERROR_SNAPSHOT;
    /* states of another arithmetic are good numbers that would go on to other bits */
    if (b2s6_read32(bytes + SNAPSHOT_AT_ARITHMETIC) != FORMAT_ARITHMETIC)
        return B2S6_ERROR_VERSION;
    /* two models may have parts of the same shape; the numbers would fit and mean nothing */
    if (b2s6_read64(bytes + SNAPSHOT_AT_FINGERPRINT) != model->fingerprint)
        return B2S6_ERROR_MODEL;
    /* of this very file, whole, and yet of another size: no library writes that */
    if (claimed != total)
        return B2S6_ERROR_SNAPSHOT;
    /* a later version may give them a meaning; what this one does not know it must not ignore */
    for (i = SNAPSHOT_AT_RESERVED; i < SNAPSHOT_HEADER_BYTES; i++)
        if (bytes[i])
            return B2S6_ERROR_SNAPSHOT;
    return B2S6_OK;
}

/*
 * After the check nothing fails. The reset clears what a snapshot does not have (parts of bidirectional
 * layers); padding lanes become zero, as in a state that never left the machine. Compensated remainders
 * are planes like others, so the stream goes on with the bits that it would have had.
 */
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
