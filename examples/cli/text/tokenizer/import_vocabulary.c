/* import_vocabulary.c - reads vocabulary, merges and added tokens of a tokenizer.json */
#include <stdlib.h>
#include <string.h>

#include "../../support/json_fields.h"
#include "import.h"
#include "unicode.h"

typedef struct model_fields {
    json type, dropout, unk_token, continuing_subword_prefix, end_of_word_suffix, vocab, merges;
    uint32_t fuse_unk, byte_fallback, ignore_merges;
} model_fields;

/* What reading needs beside the draft. */
typedef struct reading {
    draft *d;
    buffer scratch;      /* a string of the file, decoded */
    int byte_of[512];    /* for byte level: the byte that a character stands for, or -1 */
    message *m;
} reading;

/*
 * Byte-level vocabularies write each byte as a printable character: those of Latin-1 as themselves, the others, in order, from
 * U+0100 on.
 */
static void fill_byte_of(int *byte_of)
{
    int next = 256;
    for (int i = 0; i < 512; i++)
        byte_of[i] = -1;
    for (int b = 0; b < 256; b++)
        byte_of[(b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174 ? b : next++] = b;
}

/* A string of the file into scratch; bytes and size in *text and *size. */
static int read_string(reading *r, json string, const char *what, const unsigned char **text, size_t *size)
{
    if (!string.text || json_kind_of(string) != JSON_STRING)
        return complain(r->m, "%s is not a string", what);
    r->scratch.size = 0;
    if (buffer_reserve(&r->scratch, string.size) != 0)
        return complain(r->m, "out of memory");
    *size = json_string(string, (char *)r->scratch.bytes, r->scratch.room);
    *text = r->scratch.bytes;
    return 0;
}

/* A token's characters to the bytes that they stand for, in place; 0 if one stands for none, and then all is as it was. */
static int to_bytes(const reading *r, unsigned char *text, size_t *size)
{
    size_t n = 0;
    for (int round = 0; round < 2; round++) {
        n = 0;
        for (size_t at = 0; at < *size; ) {
            uint32_t c;
            at += utf8_read(text + at, *size - at, &c);
            if (c >= 512 || r->byte_of[c] < 0)
                return 0;
            if (round == 1)
                text[n] = (unsigned char)r->byte_of[c];
            n++;
        }
    }
    *size = n;
    return 1;
}

static int out_of_memory(reading *r)
{
    return complain(r->m, "out of memory");
}

/* ------------------------------------------------------------------------------------------------------------- vocabulary */

/* How many tokens: the largest id + 1, of vocabulary and added tokens. */
static int count_ids(reading *r, json vocab, json added)
{
    uint64_t largest = 0, id;
    size_t n = 0;
    json key = { NULL, 0 }, value, inner;
    for (json_walk walk = json_begin(vocab); json_next(&walk, &key, &value); n++) {
        if (!json_unsigned(value, &id) || id >= TABLE_TOKENS_MAX)
            return complain(r->m, "model.vocab: an id that is not a number below %d", TABLE_TOKENS_MAX);
        largest = id > largest ? id : largest;
    }
    if (n == 0)
        return complain(r->m, "model.vocab is empty");
    if (!import_given(added)) {
        r->d->n_tokens = (uint32_t)largest + 1;
        return 0;
    }
    for (json_walk walk = json_begin(added); json_next(&walk, NULL, &value); ) {
        if (json_kind_of(value) != JSON_OBJECT)
            return complain(r->m, "added_tokens: something that is not an object");
        for (json_walk members = json_begin(value); json_next(&members, &key, &inner); ) {
            if (!json_equals(key, "id"))
                continue;
            if (!json_unsigned(inner, &id) || id >= TABLE_TOKENS_MAX)
                return complain(r->m, "added_tokens: an id that is not a number below %d", TABLE_TOKENS_MAX);
            largest = id > largest ? id : largest;
        }
    }
    r->d->n_tokens = (uint32_t)largest + 1;
    return 0;
}

static int make_room(reading *r)
{
    draft *d = r->d;
    d->tokens = calloc(d->n_tokens, sizeof *d->tokens);
    for (d->n_slots = 16; d->n_slots < 2 * d->n_tokens; )
        d->n_slots *= 2;
    d->slots = malloc(d->n_slots * sizeof *d->slots);
    if (!d->tokens || !d->slots)
        return out_of_memory(r);
    memset(d->slots, 0xff, d->n_slots * sizeof *d->slots);
    for (uint32_t id = 0; id < d->n_tokens; id++)
        d->tokens[id].first_merge = TABLE_NONE;
    return 0;
}

static int add_token(reading *r, json key, uint32_t id)
{
    draft *d = r->d;
    draft_token *token = &d->tokens[id];
    const unsigned char *text;
    size_t size;
    int found = 1;
    if (read_string(r, key, "a token of model.vocab", &text, &size) != 0)
        return -1;
    if (token->flags & TOKEN_PRESENT)
        return complain(r->m, "model.vocab: id %u is given twice", (unsigned)id);
    if (d->flags & TABLE_BYTE_LEVEL)
        found = to_bytes(r, r->scratch.bytes, &size);
    if (size > TABLE_TEXT_MAX)
        return complain(r->m, "model.vocab: token %u has more than %d bytes", (unsigned)id, TABLE_TEXT_MAX);
    found = found && size > 0;
    if (found && draft_find(d, text, size) != TABLE_NONE)
        return complain(r->m, "model.vocab: token %u is there twice", (unsigned)id);
    token->text = (uint32_t)d->texts.size;
    token->size = (uint16_t)size;
    token->flags = (uint8_t)(TOKEN_PRESENT | (found ? TOKEN_FOUND : 0));
    if (buffer_append(&d->texts, text, size) != 0)
        return out_of_memory(r);
    if (found)
        draft_index(d, id);
    return 0;
}

static int read_vocab(reading *r, json vocab)
{
    json key = { NULL, 0 }, value;
    for (json_walk walk = json_begin(vocab); json_next(&walk, &key, &value); ) {
        uint64_t id = 0;
        json_unsigned(value, &id);
        if (add_token(r, key, (uint32_t)id) != 0)
            return -1;
    }
    return 0;
}

/* The tokens of single bytes: themselves for byte level, else <0x00> to <0xFF>. */
static void find_bytes(draft *d)
{
    for (unsigned b = 0; b < 256; b++) {
        static const char digits[] = "0123456789ABCDEF";
        const unsigned char byte = (unsigned char)b;
        unsigned char name[6] = { '<', '0', 'x', 0, 0, '>' };
        name[3] = (unsigned char)digits[b >> 4];
        name[4] = (unsigned char)digits[b & 15];
        d->bytes[b] = d->flags & TABLE_BYTE_LEVEL ? draft_find(d, &byte, 1) :
                      d->flags & TABLE_BYTE_FALLBACK ? draft_find(d, name, 6) : TABLE_NONE;
    }
}

static int find_unknown(reading *r, json unk_token)
{
    const unsigned char *text;
    size_t size;
    if (!import_given(unk_token))
        return 0;
    if (read_string(r, unk_token, "model.unk_token", &text, &size) != 0)
        return -1;
    if (r->d->flags & TABLE_BYTE_LEVEL && !to_bytes(r, r->scratch.bytes, &size))
        size = 0;
    r->d->unknown = size ? draft_find(r->d, text, size) : TABLE_NONE;
    return r->d->unknown == TABLE_NONE ? complain(r->m, "model.unk_token is not in the vocabulary") : 0;
}

/* ----------------------------------------------------------------------------------------------------------------- merges */

/* Whether a part of a merge is a token that text alone does not lead to: the unknown, or a byte that stands in for itself. */
static int stands_apart(const draft *d, uint32_t id)
{
    if (d->flags & TABLE_BYTE_LEVEL)
        return id == d->unknown;
    for (int b = 0; d->tokens[id].size == 6 && b < 256; b++)
        if (d->bytes[b] == id)
            return 1;
    return id == d->unknown;
}

/* text[0 .. left) and text[left .. size), in scratch, as the merge number i. */
static int add_merge(reading *r, uint32_t i, const unsigned char *text, size_t left, size_t size)
{
    draft *d = r->d;
    draft_merge *merge = &d->merges[i];
    uint32_t a, b, whole;
    if (left == 0 || left == size)
        return complain(r->m, "model.merges: merge %u has an empty part", (unsigned)i);
    a = draft_find(d, text, left);
    b = draft_find(d, text + left, size - left);
    whole = draft_find(d, text, size);
    if (a == TABLE_NONE || b == TABLE_NONE || whole == TABLE_NONE)
        return complain(r->m, "model.merges: merge %u is of or into a token that is not in the vocabulary", (unsigned)i);
    if (stands_apart(d, a) || stands_apart(d, b))
        return complain(r->m, "model.merges: merge %u is of a token that stands for a byte or the unknown", (unsigned)i);
    if (left > 255)
        return complain(r->m, "model.merges: merge %u is of a token of more than 255 bytes", (unsigned)i);
    merge->token = whole;
    merge->left = (uint8_t)left;
    merge->dead = 0;
    merge->other = d->tokens[whole].first_merge;
    for (uint32_t k = merge->other; k != TABLE_NONE; k = d->merges[k].other)
        if (d->merges[k].left == left && !d->merges[k].dead) {
            d->merges[k].dead = 1; /* the last one counts */
            d->tokens[whole].n_merges--;
        }
    d->tokens[whole].first_merge = i;
    if (++d->tokens[whole].n_merges > TABLE_SPLITS_MAX)
        return complain(r->m, "model.merges: more than %d merges into one token", TABLE_SPLITS_MAX);
    return 0;
}

/* A merge is "a b", or ["a", "b"]: both parts one after the other into scratch. */
static int read_merge(reading *r, uint32_t i, json value)
{
    json parts[2], more;
    size_t size, left, n = 0;
    unsigned char *text;
    if (json_kind_of(value) == JSON_ARRAY) {
        for (json_walk walk = json_begin(value); n < 2 && json_next(&walk, NULL, &parts[n]); n++)
            if (json_kind_of(parts[n]) != JSON_STRING)
                return complain(r->m, "model.merges: merge %u is not two strings", (unsigned)i);
        json_walk rest = json_begin(value);
        for (size = 0; json_next(&rest, NULL, &more); )
            size++;
        if (size != 2)
            return complain(r->m, "model.merges: merge %u is not two strings", (unsigned)i);
        r->scratch.size = 0;
        if (buffer_reserve(&r->scratch, value.size) != 0)
            return out_of_memory(r);
        text = r->scratch.bytes;
        left = json_string(parts[0], (char *)text, r->scratch.room);
        size = left + json_string(parts[1], (char *)text + left, r->scratch.room - left);
    } else {
        const unsigned char *string;
        const unsigned char *blank;
        if (read_string(r, value, "a merge of model.merges", &string, &size) != 0)
            return -1;
        text = r->scratch.bytes;
        blank = memchr(text, ' ', size);
        if (!blank || memchr(blank + 1, ' ', size - (size_t)(blank + 1 - text)))
            return complain(r->m, "model.merges: merge %u is not two parts with one blank between", (unsigned)i);
        left = (size_t)(blank - text);
        size--;
        memmove(text + left, text + left + 1, size - left);
    }
    if (r->d->flags & TABLE_BYTE_LEVEL) {
        size_t right = size - left;
        if (!to_bytes(r, text + left, &right) || (size = left, !to_bytes(r, text, &left)))
            return complain(r->m, "model.merges: merge %u is of a token that is not in the vocabulary", (unsigned)i);
        memmove(text + left, text + size, right);
        size = left + right;
    }
    return add_merge(r, i, text, left, size);
}

static int read_merges(reading *r, json merges)
{
    json value;
    uint32_t n = 0;
    for (json_walk walk = json_begin(merges); json_next(&walk, NULL, &value); )
        if (++n > 16 * TABLE_TOKENS_MAX)
            return complain(r->m, "model.merges has too many merges");
    r->d->merges = malloc((n + 1u) * sizeof *r->d->merges);
    if (!r->d->merges)
        return out_of_memory(r);
    r->d->n_merges = 0;
    for (json_walk walk = json_begin(merges); json_next(&walk, NULL, &value); r->d->n_merges++)
        if (read_merge(r, r->d->n_merges, value) != 0)
            return -1;
    return 0;
}

/* Whether no token has a mark after another character: then text may be cut before such a mark, as nothing merges across. */
static int words_are_apart(const draft *d)
{
    const unsigned char mark[3] = { 0xe2, 0x96, 0x81 };
    if (draft_find(d, mark, 3) == TABLE_NONE)
        return 0;
    for (uint32_t i = 0; i < d->n_merges; i++) {
        const draft_token *token = &d->tokens[d->merges[i].token];
        const unsigned char *text = d->texts.bytes + token->text;
        size_t at = 0;
        while (at + 3 <= token->size && memcmp(text + at, mark, 3) == 0)
            at += 3;
        for (; at + 3 <= token->size; at++)
            if (memcmp(text + at, mark, 3) == 0)
                return 0;
    }
    return 1;
}

/* ----------------------------------------------------------------------------------------------------------- added tokens */

typedef struct added_fields {
    json content;
    uint32_t id, single_word, lstrip, rstrip, normalized, special;
} added_fields;

static int read_added_fields(json object, added_fields *a, message *m)
{
#define MEMBER(name, type, required, high) { #name, type, offsetof(added_fields, name), required, 0, high, NULL }
    static const json_field fields[] = {
        MEMBER(id, FIELD_UNSIGNED, 1, TABLE_TOKENS_MAX - 1), MEMBER(content, FIELD_ANY, 1, 0),
        MEMBER(single_word, FIELD_BOOLEAN, 0, 0), MEMBER(lstrip, FIELD_BOOLEAN, 0, 0), MEMBER(rstrip, FIELD_BOOLEAN, 0, 0),
        MEMBER(normalized, FIELD_BOOLEAN, 0, 0), MEMBER(special, FIELD_BOOLEAN, 0, 0),
    };
#undef MEMBER
    uint32_t present;
    memset(a, 0, sizeof *a);
    if (json_read_fields(object, "added_tokens", fields, sizeof fields / sizeof fields[0], 1, a, &present, m) != 0)
        return -1;
    if (!(present & 1 << 5))
        a->normalized = !a->special;
    return a->single_word ? complain(m, "added_tokens: single_word is not known here") : 0;
}

/* Its text is what is written in a text, whatever the vocabulary's token of this id looks like. */
static int add_added_token(reading *r, const added_fields *a, const unsigned char *text, size_t size)
{
    draft *d = r->d;
    draft_token *token = &d->tokens[a->id];
    if (!(token->flags & TOKEN_PRESENT)) {
        token->text = (uint32_t)d->texts.size;
        token->size = (uint16_t)size;
        if (buffer_append(&d->texts, text, size) != 0)
            return out_of_memory(r);
    }
    token->flags |= (uint8_t)(TOKEN_PRESENT | (a->special ? TOKEN_SPECIAL : 0));
    return 0;
}

/* The text that is looked for in normalized text is itself normalized. */
static int normalize_content(const draft *d, buffer *text)
{
    buffer out = { NULL, 0, 0 };
    int failed = 0;
    if (d->flags & TABLE_PREPEND_MARK)
        failed |= buffer_append(&out, "\xe2\x96\x81", 3);
    for (size_t i = 0; i < text->size; i++)
        failed |= text->bytes[i] == ' ' && d->flags & TABLE_BLANKS_TO_MARKS ? buffer_append(&out, "\xe2\x96\x81", 3) :
                                                                             buffer_append(&out, text->bytes + i, 1);
    text->size = 0;
    failed |= d->flags & TABLE_NFC ? nfc_append(text, out.bytes, out.size) : buffer_append(text, out.bytes, out.size);
    free(out.bytes);
    return failed;
}

static int is_there(const draft *d, const draft_set *set, const unsigned char *text, size_t size)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->entries[i].size == size && memcmp(d->texts.bytes + set->entries[i].text, text, size) == 0)
            return 1;
    return 0;
}

static int add_entry(reading *r, const added_fields *a, const buffer *text)
{
    draft *d = r->d;
    draft_set *set = &d->added[a->normalized != 0];
    draft_added *e = &set->entries[set->n];
    if (text->size == 0 || text->size > TABLE_TEXT_MAX)
        return complain(r->m, "added_tokens: token %u is empty or has more than %d bytes", (unsigned)a->id, TABLE_TEXT_MAX);
    if (set->n == TABLE_ADDED_MAX)
        return complain(r->m, "added_tokens: more than %d", TABLE_ADDED_MAX);
    if (is_there(d, set, text->bytes, text->size))
        return complain(r->m, "added_tokens: token %u is there twice", (unsigned)a->id);
    e->text = (uint32_t)d->texts.size;
    e->size = (uint16_t)text->size;
    e->id = a->id;
    e->flags = (uint16_t)((a->lstrip ? ADDED_LSTRIP : 0) | (a->rstrip ? ADDED_RSTRIP : 0));
    set->n++;
    return buffer_append(&d->texts, text->bytes, text->size) != 0 ? out_of_memory(r) : 0;
}

static int read_added_token(reading *r, json object)
{
    draft *d = r->d;
    buffer text = { NULL, 0, 0 };
    const unsigned char *string;
    added_fields a;
    size_t size, known_size;
    uint32_t known;
    int failed;
    if (read_added_fields(object, &a, r->m) != 0 || read_string(r, a.content, "added_tokens.content", &string, &size) != 0)
        return -1;
    if (size > TABLE_TEXT_MAX)
        return complain(r->m, "added_tokens: token %u has more than %d bytes", (unsigned)a.id, TABLE_TEXT_MAX);
    failed = add_added_token(r, &a, string, size) || buffer_append(&text, string, size) ? out_of_memory(r) : 0;
    if (!failed) {
        known_size = size;
        known = d->flags & TABLE_BYTE_LEVEL && !to_bytes(r, r->scratch.bytes, &known_size) ? TABLE_NONE :
                known_size ? draft_find(d, string, known_size) : TABLE_NONE;
        if (known != TABLE_NONE && known != a.id)
            failed = complain(r->m, "added_tokens: token %u is token %u of the vocabulary", (unsigned)a.id, (unsigned)known);
    }
    if (!failed && a.normalized && normalize_content(d, &text) != 0)
        failed = out_of_memory(r);
    if (!failed)
        failed = add_entry(r, &a, &text);
    free(text.bytes);
    return failed;
}

static int read_added(reading *r, json added)
{
    json value;
    size_t n = 0;
    if (!import_given(added))
        return 0;
    for (json_walk walk = json_begin(added); json_next(&walk, NULL, &value); )
        n++;
    for (int set = 0; set < ADDED_SETS; set++) {
        r->d->added[set].entries = malloc((n + 1) * sizeof *r->d->added[set].entries);
        if (!r->d->added[set].entries)
            return out_of_memory(r);
    }
    for (json_walk walk = json_begin(added); json_next(&walk, NULL, &value); )
        if (read_added_token(r, value) != 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------------- model */

static int is_empty(json value)
{
    return !import_given(value) || (json_kind_of(value) == JSON_STRING && json_equals(value, ""));
}

static int read_model(json object, model_fields *f, message *m)
{
#define PART(name, required) { #name, FIELD_ANY, offsetof(model_fields, name), required, 0, 0, NULL }
#define TRUTH(name) { #name, FIELD_BOOLEAN, offsetof(model_fields, name), 0, 0, 0, NULL }
    static const json_field fields[] = {
        PART(type, 0), PART(dropout, 0), PART(unk_token, 0), PART(continuing_subword_prefix, 0), PART(end_of_word_suffix, 0),
        PART(vocab, 1), PART(merges, 1), TRUTH(fuse_unk), TRUTH(byte_fallback), TRUTH(ignore_merges),
    };
#undef PART
#undef TRUTH
    uint32_t present;
    json key = { NULL, 0 }, value;
    memset(f, 0, sizeof *f);
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "model is not an object");
    for (json_walk walk = json_begin(object); json_next(&walk, &key, &value); )
        if (json_equals(key, "type") && !(json_kind_of(value) == JSON_STRING && json_equals(value, "BPE")))
            return complain(m, "model.type is not BPE, the only one that is known here");
    if (json_read_fields(object, "model", fields, sizeof fields / sizeof fields[0], 1, f, &present, m) != 0)
        return -1;
    if (import_given(f->dropout))
        return complain(m, "model.dropout is not known here");
    if (!is_empty(f->continuing_subword_prefix))
        return complain(m, "model.continuing_subword_prefix is not known here");
    if (!is_empty(f->end_of_word_suffix))
        return complain(m, "model.end_of_word_suffix is not known here");
    if (json_kind_of(f->vocab) != JSON_OBJECT)
        return complain(m, "model.vocab is not an object");
    return json_kind_of(f->merges) == JSON_ARRAY ? 0 : complain(m, "model.merges is not an array");
}

static int read_all(reading *r, const model_fields *f, json added)
{
    draft *d = r->d;
    if (import_given(added) && json_kind_of(added) != JSON_ARRAY)
        return complain(r->m, "added_tokens is not an array");
    if (count_ids(r, f->vocab, added) != 0 || make_room(r) != 0 || read_vocab(r, f->vocab) != 0)
        return -1;
    find_bytes(d);
    if (find_unknown(r, f->unk_token) != 0 || read_merges(r, f->merges) != 0)
        return -1;
    if (!(d->flags & (TABLE_BYTE_LEVEL | TABLE_SPLIT_AT_MARKS)) && words_are_apart(d))
        d->flags |= TABLE_WORDS_APART;
    return read_added(r, added);
}

int import_vocabulary(draft *d, const import_parts *parts, message *m)
{
    model_fields f;
    reading r;
    int failed;
    memset(&r, 0, sizeof r);
    r.d = d;
    r.m = m;
    fill_byte_of(r.byte_of);
    if (read_model(parts->model, &f, m) != 0)
        return -1;
    d->flags |= (f.byte_fallback ? TABLE_BYTE_FALLBACK : 0) | (f.fuse_unk ? TABLE_FUSE_UNKNOWN : 0);
    d->flags |= f.ignore_merges ? TABLE_IGNORE_MERGES : 0;
    if (d->flags & TABLE_BYTE_LEVEL && f.byte_fallback)
        return complain(m, "ByteLevel and model.byte_fallback together are not known here");
    failed = read_all(&r, &f, parts->added_tokens);
    free(r.scratch.bytes);
    return failed;
}
