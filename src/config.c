#include "config.h"

#include "status.h"

#define MAX_WIDTH 65536u
#define MAX_SIZE (1u << 24)

/* One line a key: where its value goes and the range it must lie in. Keys ascend. */
struct key {
    uint8_t key, min;
    uint16_t member; /* offset in struct config */
    uint32_t max;
#if B2S6_HAS_MESSAGES
    const char *name;
#endif
};

#if B2S6_HAS_MESSAGES
#  define KEY(number, member, min, max, name) { number, min, (uint16_t)offsetof(struct config, member), max, name }
#  define NAME_OF(key) ((key)->name)
#else
#  define KEY(number, member, min, max, name) { number, min, (uint16_t)offsetof(struct config, member), max }
#  define NAME_OF(key) ""
#endif

static const struct key keys[] = {
    KEY(1, d_model, 1, MAX_WIDTH, "d_model"),
    KEY(2, n_layers, 1, 4096, "n_layers"),
    KEY(3, input_kind, 1, 2, "input kind"),
    KEY(4, input_size, 1, MAX_SIZE, "input size"),
    KEY(5, head_size, 0, MAX_SIZE, "head size"),
    KEY(6, block, 1, 2, "block"),
    KEY(7, bidirectional, 0, 1, "bidirectional"),
    KEY(8, norm, 0, 3, "norm kind"),
    KEY(9, norm_place, 1, 2, "norm place"),
    KEY(10, norm_eps, 0, 0x7f7fffffu, "norm eps"),
    KEY(11, final_norm, 0, 3, "final norm kind"),
    KEY(12, final_norm_eps, 0, 0x7f7fffffu, "final norm eps"),
    KEY(13, pool, 0, 2, "pool"),
    KEY(14, head_tied, 0, 1, "head tied"),
    KEY(15, head_bias, 0, 1, "head bias"),
    KEY(16, d_inner, 1, MAX_WIDTH, "d_inner"),
    KEY(17, d_conv, 0, 64, "d_conv"),
    KEY(18, projection_biases, 0, 3, "projection biases"),
    KEY(32, h, 1, MAX_WIDTH, "h"),
    KEY(33, d_state, 1, 4096, "d_state"),
    KEY(34, complex_state, 0, 1, "complex"),
    KEY(35, a_scope, 1, 3, "A scope"),
    KEY(36, b, 1, 3, "B"),
    KEY(37, c, 1, 2, "C"),
    KEY(38, c_complex, 0, 1, "C complex"),
    KEY(39, delta, 1, 3, "delta"),
    KEY(40, dt_rank, 0, MAX_WIDTH, "dt_rank"),
    KEY(41, discretization, 1, 2, "discretization"),
    KEY(42, conjugate, 0, 1, "conjugate"),
    KEY(43, skip, 0, 1, "skip"),
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };

/* What no single range can say. NULL if all is well. */
static const char *contradiction(const struct config *c)
{
    int s4 = c->block == B2S6_BLOCK_S4;

    if (c->input_kind == B2S6_FEATURES && c->input_size > MAX_WIDTH)
        return "a feature vector is too wide";
    if (s4 && (c->d_inner != c->d_model || c->d_conv != 0 || c->projection_biases != 0))
        return "an s4 block has d_inner = d_model, no convolution and no projection biases";
    if (!s4 && (c->d_conv == 0 || c->bidirectional))
        return "a mamba block has a convolution and is causal";
    if (c->d_inner % c->h != 0)
        return "h does not divide the unit's width";
    if (c->head_tied && (c->input_kind != B2S6_TOKENS || c->head_size != c->input_size))
        return "a tied head needs token input and the size of the vocabulary";
    if (c->head_bias && c->head_size == 0)
        return "a head bias without a head";
    if ((c->norm_eps && (c->norm == B2S6_NORM_NONE || c->norm == B2S6_NORM_BATCH)) ||
        (c->final_norm_eps && (c->final_norm == B2S6_NORM_NONE || c->final_norm == B2S6_NORM_BATCH)))
        return "an eps without a norm that uses it";
    if (c->c_complex && !c->complex_state)
        return "a complex C needs a complex state";
    if ((c->delta == B2S6_DELTA_LOWRANK) != (c->dt_rank != 0))
        return "dt_rank goes with a low-rank delta";
    return NULL;
}

/* A part of the model that this build of the library does not have; NULL if it has all. */
static const char *left_out(const struct config *c)
{
    if (!B2S6_HAS_S4 && c->block == B2S6_BLOCK_S4)
        return "this build of the library leaves out s4 blocks";
    if (!B2S6_HAS_MAMBA && c->block == B2S6_BLOCK_MAMBA)
        return "this build of the library leaves out mamba blocks";
    if (!B2S6_HAS_BIDIRECTIONAL && c->bidirectional)
        return "this build of the library leaves out bidirectional models";
    if (!B2S6_HAS_NORM_LAYER && (c->norm == B2S6_NORM_LAYER || c->final_norm == B2S6_NORM_LAYER))
        return "this build of the library leaves out layer norms";
    if (!B2S6_HAS_NORM_RMS && (c->norm == B2S6_NORM_RMS || c->final_norm == B2S6_NORM_RMS))
        return "this build of the library leaves out RMS norms";
    if (!B2S6_HAS_DELTA_LOWRANK && c->delta == B2S6_DELTA_LOWRANK)
        return "this build of the library leaves out low-rank deltas";
    if (!B2S6_HAS_REAL && !c->complex_state)
        return "this build of the library leaves out real states";
    if (!B2S6_HAS_COMPLEX && c->complex_state)
        return "this build of the library leaves out complex states";
    if (!B2S6_HAS_OTHER_UNITS && !config_is_b2s6(c))
        return "this build of the library leaves out all units but B2S6";
    return NULL;
}

/* Finds the known key an entry is about, from keys[*next] on; N_KEYS if it is unknown. Skipped keys are missing. */
static b2s6_status read_entry(struct config *c, const unsigned char *entry, uint64_t at, uint32_t *next, b2s6_error *error)
{
    uint32_t key = b2s6_read32(entry), value = b2s6_read32(entry + 4);
    const struct key *k = &keys[*next];

    if (*next < N_KEYS && (key & ~FORMAT_KEY_OPTIONAL) == k->key) {
        if (value < k->min || value > k->max)
            return b2s6_fail_at(error, B2S6_ERROR_FORMAT, at + 4, "%s is %u, it must be from %u to %u", NAME_OF(k), value,
                                k->min, k->max);
        memcpy((unsigned char *)c + k->member, &value, sizeof value);
        ++*next;
        return B2S6_OK;
    }
    if (*next < N_KEYS && (key & ~FORMAT_KEY_OPTIONAL) > k->key)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, at, "the configuration lacks %s (key %u)", NAME_OF(k), k->key, 0, 0);
    if (key & FORMAT_KEY_OPTIONAL)
        return B2S6_OK;
    return b2s6_fail_at(error, B2S6_ERROR_UNSUPPORTED, at, "configuration key %u is unknown here", NULL, key, 0, 0);
}

b2s6_status b2s6_config_read(struct config *c, const struct format *f, b2s6_error *error)
{
    b2s6_status status;
    const char *wrong;
    uint32_t i, next = 0;
    size_t at;

    for (i = 0; i < f->n_config; i++) {
        at = (size_t)i * FORMAT_CONFIG_ENTRY_BYTES;
        status = read_entry(c, f->config + at, FORMAT_HEADER_BYTES + at, &next, error);
        if (status)
            return status;
    }
    if (next < N_KEYS)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, FORMAT_HEADER_BYTES, "the configuration lacks %s (key %u)",
                            NAME_OF(&keys[next]), keys[next].key, 0, 0);
    wrong = contradiction(c);
    if (wrong)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_HEADER_BYTES, wrong);
    wrong = left_out(c);
    if (wrong)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, FORMAT_HEADER_BYTES, wrong);
    return B2S6_OK;
}
