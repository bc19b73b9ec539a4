/* text_model.c - opens a language model with its vocabulary; text to ids and back: see text_model.h */
#include "text_model.h"

#include <stdlib.h>
#include <string.h>

#include "../support/open_model.h"
#include "byte_model.h"
#include "tokenizer/token_list.h"
#include "tokenizer/unicode.h"

/* --------------------------------------------------------------------------------------------------------------- opening */

/* Ids of the metadata, "0 2": decimal numbers with a blank between them. */
static int read_ids(const text_model *t, const char *key, int32_t *ids, size_t *n, message *m)
{
    const char *at = b2s6_model_metadata(t->model, key);
    *n = 0;
    while (at && *at) {
        char *end;
        const unsigned long id = strtoul(at, &end, 10);
        if (*at < '0' || *at > '9' || (*end && *end != ' ') || id >= t->width || *n == TEXT_IDS_ROOM)
            return complain(m, "its metadata %s are not at most %d ids of its vocabulary: %.60s", key, (int)TEXT_IDS_ROOM, at);
        ids[(*n)++] = (int32_t)id;
        at = *end ? end + 1 : end;
    }
    return 0;
}

/* A stream begins with what the tokenizer puts before a text, else with an id that begins one, else one that ends one. */
static int take_ids(text_model *t, message *m)
{
    int32_t begins[TEXT_IDS_ROOM];
    size_t n_begins;
    if (read_ids(t, "bos_token_id", begins, &n_begins, m) != 0 || read_ids(t, "eos_token_id", t->ends, &t->n_ends, m) != 0)
        return -1;
    t->n_before = tokenizer_before(t->tokenizer, t->before, TEXT_IDS_ROOM);
    if (t->n_before == 0 && (n_begins > 0 || t->n_ends > 0)) {
        t->before[0] = n_begins > 0 ? begins[0] : t->ends[0];
        t->n_before = 1;
    }
    return 0;
}

static int take_tokenizer(text_model *t, const void *table, size_t size, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    t->tokenizer = tokenizer_open(table, size, &inner);
    if (!t->tokenizer)
        return complain(m, "its entry tokenizer cannot be used: %s; convert it again with --tokenizer tokenizer.json",
                        inner_text);
    t->n_tokens = tokenizer_size(t->tokenizer);
    if (t->n_tokens > t->width)
        return complain(m, "its tokenizer has %zu tokens, its vocabulary %zu: they do not belong together", t->n_tokens,
                        t->width);
    return take_ids(t, m);
}

/* Whether it predicts tokens, one after the other. */
static int check_model(const b2s6_model_info *info, message *m)
{
    const char *why = NULL;
    if (info->input_kind != B2S6_TOKENS)
        why = "it reads features";
    else if (info->head_size != info->input_size)
        why = "its answer is not one score for each token";
    else if (info->bidirectional)
        why = "it is bidirectional";
    else if (info->pool != B2S6_POOL_NONE)
        why = "it answers for the stream so far, not for the next token";
    else if (info->input_size > B2S6_LOGITS_MAX)
        why = "its vocabulary is too large";
    return why ? complain(m, "not a language model: %s", why) : 0;
}

int text_model_take(text_model *t, const b2s6_model *model, message *m)
{
    b2s6_model_info info = { .struct_size = sizeof info };
    size_t size;
    const void *table = b2s6_model_entry(model, "tokenizer", &size);
    b2s6_model_describe(model, &info);
    memset(t, 0, sizeof *t);
    t->model = model;
    t->width = t->n_tokens = t->n_scored = info.output_size;
    if (check_model(&info, m) != 0)
        return -1;
    if (table) {
        if (take_tokenizer(t, table, size, m) == 0)
            return 0;
        text_model_leave(t);
        return -1;
    }
    if (info.input_size < BYTE_VALUES || info.input_size > BYTE_IDS_MAX)
        return complain(m, "it has no tokenizer, and its vocabulary is not the 256 bytes; convert it again with --tokenizer "
                        "tokenizer.json");
    t->n_tokens = t->n_scored = BYTE_VALUES;
    t->before[0] = BYTE_BEFORE_FIRST;
    t->n_before = 1;
    return 0;
}

void text_model_leave(text_model *t)
{
    tokenizer_close(t->tokenizer);
    memset(t, 0, sizeof *t);
}

int text_model_open(text_model *t, const char *path, const char *isa, message *m)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    memset(t, 0, sizeof *t);
    options.isa = isa;
    model = open_model(path, &options, m);
    if (model && text_model_take(t, model, m) == 0) {
        t->owned = model;
        return 0;
    }
    b2s6_model_close(model);
    memset(t, 0, sizeof *t);
    return -1;
}

void text_model_close(text_model *t)
{
    b2s6_model *model = t->owned;
    text_model_leave(t);
    b2s6_model_close(model);
}

int text_model_ends(const text_model *t, int32_t id)
{
    for (size_t i = 0; i < t->n_ends; i++)
        if (t->ends[i] == id)
            return 1;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- text and ids */

int text_encode(const text_model *t, token_list *list, const void *text, size_t size, int plain, message *m)
{
    const unsigned char *bytes = text;
    const size_t n = list->n;
    if (t->tokenizer)
        return tokenizer_encode(t->tokenizer, list, text, size, plain ? TOKENIZER_PLAIN : 0, m);
    for (size_t i = 0; i < size; i++)
        if (token_list_add(list, bytes[i]) != 0) {
            list->n = n;
            return complain(m, "out of memory");
        }
    return 0;
}

size_t text_decode(const text_model *t, token_decoder *d, int32_t id, int control, unsigned char *out)
{
    size_t n = d->n_waiting;
    if (id < 0 || (size_t)id >= t->n_tokens)
        return 0;
    if (t->tokenizer)
        return tokenizer_decode(t->tokenizer, d, id, control, out);
    memcpy(out, d->waiting, n);
    out[n++] = (unsigned char)id;
    d->n_waiting = utf8_unfinished(out, n);
    n -= d->n_waiting;
    memcpy(d->waiting, out + n, d->n_waiting);
    return n;
}
