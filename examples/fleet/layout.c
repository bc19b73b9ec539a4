/* layout.c - keys, numbers and bytes of the store (layout.h) */
#include "layout.h"

#include <stdio.h>
#include <string.h>

/* Spreads the bits of a number over all of it: a bijection (the finaliser of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

int layout_partition(uint64_t stream, int n_partitions)
{
    return (int)(mix(stream) % (uint64_t)n_partitions);
}

void layout_key(char *key, int partition, int which)
{
    static const char *const names[N_KEYS] = { "meta", "events", "outputs", "states", "dead" };

    snprintf(key, KEY_TEXT, "fleet:{%d}:%s", partition, names[which]);
}

int layout_parse_number(uint64_t *number, const char *text, size_t length)
{
    uint64_t value = 0;

    if (length == 0 || length > 20)
        return 0;
    for (size_t i = 0; i < length; i++) {
        const unsigned digit = (unsigned)(unsigned char)text[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *number = value;
    return 1;
}

int layout_parse_id(struct entry_id *id, const char *text, size_t length)
{
    const char *dash = memchr(text, '-', length);
    const size_t before = dash ? (size_t)(dash - text) : length;

    return dash && layout_parse_number(&id->ms, text, before) && layout_parse_number(&id->seq, dash + 1, length - before - 1);
}

size_t layout_print_number(char *text, uint64_t number)
{
    char digits[20];
    size_t n = 0, length = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n > 0)
        text[length++] = digits[--n];
    text[length] = 0;
    return length;
}

size_t layout_print_id(char *text, struct entry_id id)
{
    size_t length = layout_print_number(text, id.ms);

    text[length++] = '-';
    return length + layout_print_number(text + length, id.seq);
}

int layout_not_after(struct entry_id a, struct entry_id b)
{
    return a.ms < b.ms || (a.ms == b.ms && a.seq <= b.seq);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void put_u64(uint8_t *bytes, uint64_t value)
{
    put_u32(bytes, (uint32_t)value);
    put_u32(bytes + 4, (uint32_t)(value >> 32));
}

uint64_t get_u64(const uint8_t *bytes)
{
    return get_u32(bytes) | (uint64_t)get_u32(bytes + 4) << 32;
}

void put_floats(uint8_t *bytes, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], 4);
        put_u32(bytes + 4 * i, bits);
    }
}

void get_floats(float *values, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = get_u32(bytes + 4 * i);

        memcpy(&values[i], &bits, 4);
    }
}

int32_t get_token(const uint8_t *bytes)
{
    const uint32_t bits = get_u32(bytes);
    int32_t token;

    memcpy(&token, &bits, 4);
    return token;
}

b2s6_status layout_check_input(const b2s6_model_info *info, const void *x, size_t size)
{
    const uint8_t *bytes = x;

    if (info->input_kind == B2S6_TOKENS) {
        if (size != 4)
            return B2S6_ERROR_INPUT_KIND;
        return get_u32(bytes) < info->input_size ? B2S6_OK : B2S6_ERROR_TOKEN;
    }
    if (size != 4 * (size_t)info->input_size)
        return B2S6_ERROR_INPUT_KIND;
    for (size_t i = 0; i < size; i += 4)
        if ((get_u32(bytes + i) >> 23 & 0xff) == 0xff)  /* the exponent of infinities and of what is no number */
            return B2S6_ERROR_VALUE;
    return B2S6_OK;
}

size_t layout_stored_size(const b2s6_model *model)
{
    return STORED_HEAD + b2s6_snapshot_size(model);
}

/* Binds a stored state's head to its stream and its snapshot, whose own checksum covers the rest. */
static uint64_t head_check(uint64_t stream, struct entry_id position, uint64_t steps)
{
    return mix(mix(mix(mix(stream + 1) + position.ms) + position.seq) + steps);
}

b2s6_status layout_store(uint8_t *bytes, uint64_t stream, struct entry_id position, const b2s6_state *state)
{
    put_u64(bytes, position.ms);
    put_u64(bytes + 8, position.seq);
    put_u64(bytes + 16, head_check(stream, position, b2s6_state_steps(state)));
    return b2s6_state_save(state, bytes + STORED_HEAD, b2s6_snapshot_size(b2s6_state_model(state)));
}

b2s6_status layout_take_up(b2s6_state *state, struct entry_id *position, uint64_t stream, const void *bytes, size_t size)
{
    const uint8_t *head = bytes;
    struct entry_id at;
    b2s6_status status;

    if (size < STORED_HEAD)
        return B2S6_ERROR_SNAPSHOT;
    at.ms = get_u64(head);
    at.seq = get_u64(head + 8);
    status = b2s6_state_restore(state, head + STORED_HEAD, size - STORED_HEAD);
    if (status != B2S6_OK)
        return status;
    if (get_u64(head + 16) != head_check(stream, at, b2s6_state_steps(state)))
        return B2S6_ERROR_SNAPSHOT;
    *position = at;
    return B2S6_OK;
}
