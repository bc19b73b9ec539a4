/*
 * Reads configuration entries by tables of keys, and the section of the model itself; layers are read in block.c.
 *
 * The file's entries ascend (format.c has checked it), a table's keys ascend, and sections are read in their order: so one
 * walk over the entries finds every key at the place where the reader is, or knows that it is missing. An entry that
 * nobody asks for is an unknown one: skipped if its optional bit is set, and a reason to refuse the file otherwise, since
 * a model that means something else than we read would run and be wrong.
 */
#include "config.h"

#include "status.h"

/* Section 0. All are required: a reader need not know what a writer left out, and no default can drift. */
static const struct key model_keys[] = {
    B2S6_KEY(KEY_D_MODEL, model_config, d_model, 1, FORMAT_MAX_WIDTH, "d_model"),
    B2S6_KEY(KEY_N_LAYERS, model_config, n_layers, 1, FORMAT_MAX_LAYERS, "n_layers"),
    B2S6_KEY(KEY_INPUT_KIND, model_config, input_kind, 1, 2, "input kind"),
    B2S6_KEY(KEY_INPUT_SIZE, model_config, input_size, 1, FORMAT_MAX_SIZE, "input size"),
    B2S6_KEY(KEY_HEAD_SIZE, model_config, head_size, 0, FORMAT_MAX_SIZE, "head size"),
    B2S6_KEY(KEY_HEAD_BIAS, model_config, head_bias, 0, 1, "head bias"),
    B2S6_KEY(KEY_HEAD_TIED, model_config, head_tied, 0, 1, "head tied"),
    B2S6_KEY(KEY_FINAL_NORM, model_config, final_norm, 0, 3, "final norm kind"),
    B2S6_KEY(KEY_FINAL_NORM_EPS, model_config, final_norm_eps, 0, FORMAT_MAX_EPS_BITS, "final norm eps"),
    B2S6_KEY(KEY_POOL, model_config, pool, 0, 2, "pool"),
};

/* Where the entry that comes next is in the file; where the last one was, if there are no more. */
static size_t entry_at(const struct config_reader *r)
{
    return FORMAT_HEADER_BYTES + (size_t)r->next * FORMAT_CONFIG_ENTRY_BYTES;
}

/* The key that comes next, with its optional bit; after the last one a key that no section has. */
static uint32_t next_key(const struct config_reader *r)
{
    if (r->next >= r->format->n_config)
        return UINT32_MAX;
    return b2s6_read32(r->format->config + (size_t)r->next * FORMAT_CONFIG_ENTRY_BYTES);
}

/*
 * Steps over optional entries of the section whose number is below this one; any other there is a failure. Entries of
 * sections before have been read, those of sections after have greater keys. A known key with the optional bit is the
 * key: the bit is for who does not know it.
 */
int b2s6_config_has(struct config_reader *r, uint32_t number)
{
    const uint32_t wanted = (r->section << FORMAT_KEY_SECTION_SHIFT) + number;
    uint32_t key;

    for (; !r->status; r->next++) {
        key = next_key(r);
        if ((key & ~FORMAT_KEY_OPTIONAL) >= wanted)
            return (key & ~FORMAT_KEY_OPTIONAL) == wanted;
        if (!(key & FORMAT_KEY_OPTIONAL))
            r->status = b2s6_fail_at(r->error, B2S6_ERROR_UNSUPPORTED, entry_at(r),
                                     "section %u has the configuration key %u, which is unknown here", NULL, r->section,
                                     key & FORMAT_KEY_NUMBER_MASK, 0);
    }
    return 0;
}

/*
 * The first failure ends it, at the entry that the message is about: r->next only moves on when a value has been taken.
 * Values of a byte are stored as one, whatever the byte order of the machine.
 */
void b2s6_config_take(struct config_reader *r, const struct key *keys, size_t n_keys, void *into)
{
    uint32_t value;
    size_t i;

    for (i = 0; i < n_keys && !r->status; i++, r->next++) {
        const struct key *k = &keys[i];

        if (!b2s6_config_has(r, k->key)) {
            if (!r->status)
                r->status = b2s6_fail_at(r->error, B2S6_ERROR_FORMAT, entry_at(r),
                                         "the configuration of section %u lacks %s (key %u)", B2S6_KEY_NAME(k), r->section,
                                         k->key, 0);
            return;
        }
        value = b2s6_read32(r->format->config + (size_t)r->next * FORMAT_CONFIG_ENTRY_BYTES + 4);
        if (value < k->min || value > k->max) {
            r->status = b2s6_fail_at(r->error, B2S6_ERROR_FORMAT, entry_at(r) + 4, "%s is %u, it must be from %u to %u",
                                     B2S6_KEY_NAME(k), value, k->min, k->max);
            return;
        }
        /* B2S6_KEY_MOST has made sure that the member is as wide as this */
        if (k->max <= UINT8_MAX)
            ((unsigned char *)into)[k->member] = (unsigned char)value;
        else
            memcpy((unsigned char *)into + k->member, &value, sizeof value);
    }
}

/* Asks for a number above all that a section can have: everything that is left of it is stepped over, or refused. */
void b2s6_config_end(struct config_reader *r)
{
    (void)b2s6_config_has(r, FORMAT_KEY_NUMBER_MASK + 1u);
}

/* The first failure stays. The place is that of the next entry, the end of a section whose values contradict each other. */
void b2s6_config_fail(struct config_reader *r, b2s6_status status, const char *text)
{
    if (!r->status)
        r->status = b2s6_fail_at(r->error, status, entry_at(r), "section %u: %s", text, r->section, 0, 0);
}

/* Batch norm is a weight and a bias (the converter folds its statistics in) and has no code of its own to leave out. */
const char *b2s6_norm_left_out(uint32_t norm)
{
    if (!B2S6_HAS_NORM_LAYER && norm == B2S6_NORM_LAYER)
        return B2S6_WORDS("this build of the library leaves out layer norms");
    if (!B2S6_HAS_NORM_RMS && norm == B2S6_NORM_RMS)
        return B2S6_WORDS("this build of the library leaves out RMS norms");
    return NULL;
}

/*
 * What no single range can say. NULL if all is well. Each rule is one that code elsewhere relies on: a row of features is
 * as wide as an activation at most, a tied head is multiplied as the matrix that the embedding is, a bias has rows to be
 * added to. An eps that nobody would use must be 0, so that equal models are equal files.
 */
static const char *contradiction(const struct model_config *c)
{
    if (c->input_kind == B2S6_FEATURES && c->input_size > FORMAT_MAX_WIDTH)
        return B2S6_WORDS("a feature vector is too wide");
    if (c->head_tied && (c->input_kind != B2S6_TOKENS || c->head_size != c->input_size))
        return B2S6_WORDS("a tied head needs token input and the size of the vocabulary");
    if (c->head_bias && c->head_size == 0)
        return B2S6_WORDS("a head bias without a head");
    if (config_eps_is_idle(c->final_norm, c->final_norm_eps))
        return B2S6_WORDS("an eps without a norm that uses it");
    return NULL;
}

/*
 * What is wrong comes before what is left out of this build: the first is the file's fault, and no other build helps. The
 * reader moves on to layer 1 in any case; after a failure it does nothing there.
 */
void b2s6_config_model(struct config_reader *r, struct model_config *c)
{
    const char *wrong;

    b2s6_config_take(r, model_keys, sizeof model_keys / sizeof model_keys[0], c);
    b2s6_config_end(r);
    if (r->status)
        return;
    if ((wrong = contradiction(c)) != NULL)
        b2s6_config_fail(r, B2S6_ERROR_FORMAT, wrong);
    else if ((wrong = b2s6_norm_left_out(c->final_norm)) != NULL)
        b2s6_config_fail(r, B2S6_ERROR_UNSUPPORTED, wrong);
    r->section = 1;
}
