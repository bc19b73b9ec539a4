/* text_parts.c - see text_parts.h: reads tokenizer.json, and the ids around texts from two configurations */
#include "text_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/file_bytes.h"
#include "../support/folder.h"
#include "../support/json_fields.h"
#include "../text/tokenizer/tokenizer.h"

/* ----------------------------------------------------------------------------------------------------------- tokenizer */

/* What the texts are separated by that GPT-2 and its successors were trained on. */
static void find_end_of_text(text_parts *t, const tokenizer *opened)
{
    static const char name[] = "<|endoftext|>";
    for (size_t id = 0; id < t->n_tokens && t->end_of_text.n == 0; id++) {
        size_t size;
        int special;
        const unsigned char *text = tokenizer_token(opened, (int32_t)id, &size, &special);
        if (special && size == sizeof name - 1 && memcmp(text, name, size) == 0)
            t->end_of_text = (text_ids){ { (uint32_t)id }, 1, 1 };
    }
}

/* The JSON of a tokenizer as a table. An error names the file. */
static int import(text_parts *t, const file_bytes *source, const char *name, message *m)
{
    char inner_text[260];
    message inner = { inner_text, sizeof inner_text };
    tokenizer *opened;
    if (tokenizer_import(&t->table, &t->table_size, (const char *)source->bytes, source->size, &inner) != 0)
        return complain(m, "%s: %s (--tokenizer none converts the model without it)", name, inner_text);
    opened = tokenizer_open(t->table, t->table_size, &inner);
    if (!opened)
        return complain(m, "%s: %s", name, inner_text);
    t->n_tokens = tokenizer_size(opened);
    find_end_of_text(t, opened);
    tokenizer_close(opened);
    return 0;
}

static int read_named(file_bytes *source, const char *path, message *m)
{
    char inner_text[260];
    message inner = { inner_text, sizeof inner_text };
    return file_bytes_read(source, path, &inner) != 0 ? complain(m, "%s: %s", path, inner_text) : 0;
}

static int read_tokenizer(text_parts *t, const char *folder, const char *path, message *m)
{
    static const char own[] = "tokenizer.json";
    file_bytes source;
    int failed;
    if (path ? strcmp(path, "none") == 0 : !folder || !folder_has(folder, own))
        return 0;
    if (path ? read_named(&source, path, m) != 0 : folder_read(&source, folder, own, m) != 0)
        return -1;
    failed = import(t, &source, path ? path : own, m);
    file_bytes_release(&source);
    return failed;
}

/* ----------------------------------------------------------------------------------------------------------------- ids */

static int add_id(text_ids *list, json value)
{
    uint64_t id;
    if (json_kind_of(value) != JSON_NUMBER || !json_unsigned(value, &id) || id > INT32_MAX || list->n == TEXT_IDS_MAX)
        return -1;
    list->ids[list->n++] = (uint32_t)id;
    return 0;
}

/* One id, a list of them, or null. What an earlier file gave stays. */
static int read_ids(text_ids *list, json value, const char *key, message *m)
{
    json item;
    int failed = 0;
    if (list->given || !value.text)
        return 0;
    list->given = 1;
    if (json_kind_of(value) == JSON_NULL)
        return 0;
    if (json_kind_of(value) != JSON_ARRAY) {
        failed = add_id(list, value);
    } else {
        for (json_walk walk = json_begin(value); json_next(&walk, NULL, &item) && !failed; )
            failed = add_id(list, item);
    }
    return failed ? complain(m, "%s is neither a token's id nor a list of at most %d", key, (int)TEXT_IDS_MAX) : 0;
}

/*
 * Where both files are silent: what Hugging Face's own configuration of this kind of model says. An original folder has no
 * place for ids; texts begin and end with the tokenizer's end of text, as in training.
 */
static void take_defaults(text_parts *t, json model_type)
{
    static const struct {
        const char *type;
        uint32_t begins, ends;
    } known[] = { { "mamba", 0, 0 }, { "mamba2", 0, 2 } };
    if (!model_type.text && t->end_of_text.n > 0) {
        t->begins = t->begins.given ? t->begins : t->end_of_text;
        t->ends = t->ends.given ? t->ends : t->end_of_text;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!model_type.text || json_kind_of(model_type) != JSON_STRING || !json_equals(model_type, known[i].type))
            continue;
        if (!t->begins.given)
            t->begins = (text_ids){ { known[i].begins }, 1, 1 };
        if (!t->ends.given)
            t->ends = (text_ids){ { known[i].ends }, 1, 1 };
    }
}

typedef struct ids_config {
    json model_type, bos_token_id, eos_token_id;
} ids_config;

/* What one checked file says; is_last: nothing comes after it. */
static int read_ids_of(text_parts *t, const char *text, size_t size, int is_last, message *m)
{
    static const json_field fields[] = {
        { "model_type", FIELD_ANY, offsetof(ids_config, model_type), 0, 0, 0, NULL },
        { "bos_token_id", FIELD_ANY, offsetof(ids_config, bos_token_id), 0, 0, 0, NULL },
        { "eos_token_id", FIELD_ANY, offsetof(ids_config, eos_token_id), 0, 0, 0, NULL },
    };
    ids_config c;
    json whole;
    size_t at;
    uint32_t present;
    const char *problem = json_check_python(&whole, text, size, &at);
    memset(&c, 0, sizeof c);
    if (problem)
        return complain(m, "not JSON: %s (byte %zu)", problem, at);
    if (json_kind_of(whole) != JSON_OBJECT)
        return complain(m, "it is not a JSON object");
    if (json_read_fields(whole, "", fields, sizeof fields / sizeof fields[0], 0, &c, &present, m) != 0 ||
        read_ids(&t->begins, c.bos_token_id, "bos_token_id", m) != 0 ||
        read_ids(&t->ends, c.eos_token_id, "eos_token_id", m) != 0)
        return -1;
    if (is_last)
        take_defaults(t, c.model_type);
    return 0;
}

/* generation_config.json goes first: it is what Hugging Face generates by. */
static int read_folder_ids(text_parts *t, const char *folder, message *m)
{
    static const char *const names[] = { "generation_config.json", "config.json" };
    for (size_t i = 0; i < 2; i++) {
        char inner_text[200];
        message inner = { inner_text, sizeof inner_text };
        file_bytes file;
        int failed;
        if (!folder_has(folder, names[i]))
            continue;
        if (folder_read(&file, folder, names[i], m) != 0)
            return -1;
        failed = read_ids_of(t, (const char *)file.bytes, file.size, i == 1, &inner);
        file_bytes_release(&file);
        if (failed)
            return complain(m, "%s: %s", names[i], inner_text);
    }
    return 0;
}

static void write_ids(char *out, size_t size, const text_ids *list)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < list->n; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%lu", i ? " " : "", (unsigned long)list->ids[i]);
}

int text_parts_read(text_parts *t, const char *folder, const char *tokenizer_path, int has_table, message *m)
{
    memset(t, 0, sizeof *t);
    if ((!has_table && read_tokenizer(t, folder, tokenizer_path, m) != 0) ||
        ((has_table || t->table) && folder && read_folder_ids(t, folder, m) != 0)) {
        text_parts_free(t);
        return -1;
    }
    write_ids(t->begins_text, sizeof t->begins_text, &t->begins);
    write_ids(t->ends_text, sizeof t->ends_text, &t->ends);
    return 0;
}

void text_parts_free(text_parts *t)
{
    free(t->table);
    memset(t, 0, sizeof *t);
}

/* ------------------------------------------------------------------------------------------------------------ the file */

static int check_ids(const text_ids *list, const char *key, uint32_t vocabulary, message *m)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->ids[i] >= vocabulary)
            return complain(m, "%s is %lu, but the vocabulary has %lu tokens", key, (unsigned long)list->ids[i],
                            (unsigned long)vocabulary);
    return 0;
}

/* A vocabulary may be larger than its tokenizer's, since many are padded to a round number; never smaller. */
int text_parts_check(const text_parts *t, const checkpoint_config *c, message *m)
{
    if (t->table && c->input_kind != B2S6_TOKENS)
        return complain(m, "a tokenizer for a model of features, which reads no tokens (--tokenizer none goes without one)");
    if (t->table && t->n_tokens > c->input_size)
        return complain(m, "the tokenizer has %zu tokens, but the model's vocabulary %lu: they do not belong together "
                        "(--tokenizer none converts the model without it)", t->n_tokens, (unsigned long)c->input_size);
    return check_ids(&t->begins, TEXT_BEGINS_KEY, c->input_size, m) != 0 ? -1
                                                                        : check_ids(&t->ends, TEXT_ENDS_KEY, c->input_size, m);
}

static void add_pair(metadata_pair *all, size_t *n, const char *key, const char *value)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(all[i].key, key) == 0)
            return;
    if (*value) {
        all[*n].key = key;
        all[*n].value = value;
        ++*n;
    }
}

metadata_pair *text_parts_metadata(const text_parts *t, const metadata_pair *pairs, size_t n, size_t *n_all)
{
    metadata_pair *all = malloc((n + 2) * sizeof *all);
    if (!all)
        return NULL;
    if (n > 0)
        memcpy(all, pairs, n * sizeof *all);
    *n_all = n;
    add_pair(all, n_all, TEXT_BEGINS_KEY, t->begins_text);
    add_pair(all, n_all, TEXT_ENDS_KEY, t->ends_text);
    return all;
}
