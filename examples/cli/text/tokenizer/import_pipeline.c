/* import_pipeline.c - reads what a tokenizer.json does before and after merging; what is not known here is refused by name */
#include <string.h>

#include "../../support/json_fields.h"
#include "import.h"
#include "split.h"

/* One step of a pipeline with all that the known ones may say; what a step of another type says is not looked at. */
typedef struct step {
    json type, list, prepend, pattern, content, replacement, prepend_scheme, behavior, single, pair, special_tokens;
    uint32_t add_prefix_space, trim_offsets, use_regex, str_rep, split, invert, start, stop;
    uint32_t has_add_prefix_space, has_use_regex, has_split;
} step;

/* A step of a pipeline: reads it and changes the draft. */
typedef int (*step_reader)(draft *d, const step *s, message *m);

#define ANY(name) { #name, FIELD_ANY, offsetof(step, name), 0, 0, 0, NULL }
#define LIST(name) { #name, FIELD_ANY, offsetof(step, list), 0, 0, 0, NULL }
#define TRUTH(name) { #name, FIELD_BOOLEAN, offsetof(step, name), 0, 0, 0, NULL }
#define COUNT(name) { #name, FIELD_UNSIGNED, offsetof(step, name), 0, 0, 1000, NULL }

/* strict: a member that no known step has is refused. */
static int read_step(json object, const char *where, int strict, step *s, message *m)
{
    static const json_field fields[] = {
        ANY(type), LIST(normalizers), LIST(pretokenizers), LIST(decoders), LIST(processors), ANY(prepend), ANY(pattern),
        ANY(content), ANY(replacement), ANY(prepend_scheme), ANY(behavior), ANY(single), ANY(pair), ANY(special_tokens),
        TRUTH(add_prefix_space), TRUTH(trim_offsets), TRUTH(use_regex), ANY(str_rep), TRUTH(split), TRUTH(invert),
        COUNT(start), COUNT(stop),
    };
    uint32_t present;
    memset(s, 0, sizeof *s);
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "%s is not an object", where);
    if (json_read_fields(object, where, fields, sizeof fields / sizeof fields[0], strict, s, &present, m) != 0)
        return -1;
    s->has_add_prefix_space = present >> 14 & 1;
    s->has_use_regex = present >> 16 & 1;
    s->has_split = present >> 18 & 1;
    if (!s->type.text || json_kind_of(s->type) != JSON_STRING)
        return complain(m, "%s.type is missing", where);
    return 0;
}

/* "normalizer Lowercase is not known here" */
static int refuse(const char *where, const step *s, message *m)
{
    char name[60];
    if (json_string(s->type, name, sizeof name) == SIZE_MAX)
        strcpy(name, "with a long name");
    return complain(m, "%s %s is not known here", where, name);
}

/* A type that is not known is refused first, by its name. */
static int read_one(draft *d, json object, const char *where, step_reader reader, message *m)
{
    step s;
    if (read_step(object, where, 0, &s, m) != 0 || reader(d, &s, m) != 0)
        return -1;
    return read_step(object, where, 1, &s, m);
}

/* Reads a step, or those of a Sequence one after the other; a Sequence in a Sequence is not known. */
static int read_steps(draft *d, json object, const char *where, step_reader reader, message *m)
{
    step s;
    json item;
    if (!import_given(object))
        return 0;
    if (read_step(object, where, 0, &s, m) != 0)
        return -1;
    if (!json_equals(s.type, "Sequence"))
        return read_one(d, object, where, reader, m);
    if (!s.list.text || json_kind_of(s.list) != JSON_ARRAY)
        return complain(m, "%s is a Sequence without a list", where);
    for (json_walk walk = json_begin(s.list); json_next(&walk, NULL, &item); )
        if (read_one(d, item, where, reader, m) != 0)
            return -1;
    return 0;
}

static int is_text(json value, const char *text)
{
    return value.text && json_kind_of(value) == JSON_STRING && json_equals(value, text);
}

/* The member of an object that has this one alone: {"String": " "}. */
static int is_pattern(json object, const char *kind, const char *text)
{
    json key = { NULL, 0 }, value;
    json_walk walk;
    if (!object.text || json_kind_of(object) != JSON_OBJECT)
        return 0;
    walk = json_begin(object);
    return json_next(&walk, &key, &value) && json_equals(key, kind) && is_text(value, text) && !json_next(&walk, &key, &value);
}

/* ------------------------------------------------------------------------------------------------------------ normalizers */

static int read_normalizer(draft *d, const step *s, message *m)
{
    if (json_equals(s->type, "NFC")) {
        d->flags |= TABLE_NFC;
        return 0;
    }
    if (json_equals(s->type, "Prepend")) {
        if (!is_text(s->prepend, MARK) || d->flags & TABLE_PREPEND_MARK)
            return complain(m, "normalizer Prepend: only one U+2581 is known here");
        d->flags |= TABLE_PREPEND_MARK;
        return 0;
    }
    if (json_equals(s->type, "Replace")) {
        if (!is_pattern(s->pattern, "String", " ") || !is_text(s->content, MARK))
            return complain(m, "normalizer Replace: only blanks by U+2581 are known here");
        d->flags |= TABLE_BLANKS_TO_MARKS;
        return 0;
    }
    return refuse("normalizer", s, m);
}

/* --------------------------------------------------------------------------------------------------------- pre-tokenizers */

#define LLAMA3(digits)                                                                                            \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"       \
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Isolated: matches and what is between are pieces; Removed and inverted: the matches are. The patterns leave nothing over. */
static int read_split(draft *d, const step *s, message *m)
{
    static const struct { const char *pattern; uint32_t split; } known[] = {
        { LLAMA3("\\p{N}{1,3}"), SPLIT_LLAMA3 }, { LLAMA3("\\p{N}"), SPLIT_QWEN2 }, { GPT2, SPLIT_GPT2 },
    };
    if (!(is_text(s->behavior, "Isolated") && !s->invert) && !(is_text(s->behavior, "Removed") && s->invert))
        return complain(m, "pre_tokenizer Split: a behavior that is not known here");
    for (size_t i = 0; i < sizeof known / sizeof known[0] && d->split == SPLIT_NONE; i++)
        if (is_pattern(s->pattern, "Regex", known[i].pattern)) {
            d->split = known[i].split;
            return 0;
        }
    return complain(m, "pre_tokenizer Split: a pattern that is not known here: %.*s",
                    (int)(s->pattern.size < 120 ? s->pattern.size : 120), s->pattern.text ? s->pattern.text : "");
}

static int read_byte_level(draft *d, const step *s, message *m)
{
    const int regex = !s->has_use_regex || s->use_regex;
    d->flags |= TABLE_BYTE_LEVEL;
    if (!s->has_add_prefix_space || s->add_prefix_space) {
        if (d->split != SPLIT_NONE)
            return complain(m, "pre_tokenizer ByteLevel: add_prefix_space after a Split is not known here");
        d->flags |= TABLE_PREPEND_UNLESS;
    }
    if (regex && d->split != SPLIT_NONE)
        return complain(m, "pre_tokenizer ByteLevel: use_regex after a Split is not known here");
    if (regex)
        d->split = SPLIT_GPT2;
    return 0;
}

static int read_metaspace(draft *d, const step *s, message *m)
{
    if (!is_text(s->replacement, MARK))
        return complain(m, "Metaspace: a replacement other than U+2581 is not known here");
    d->flags |= TABLE_METASPACE;
    if (!s->has_split || s->split)
        d->flags |= TABLE_SPLIT_AT_MARKS;
    if (s->prepend_scheme.text ? is_text(s->prepend_scheme, "always") : !s->has_add_prefix_space || s->add_prefix_space)
        d->flags |= TABLE_PREPEND_UNLESS;
    else if (is_text(s->prepend_scheme, "first"))
        d->flags |= TABLE_PREPEND_FIRST;
    else if (s->prepend_scheme.text && !is_text(s->prepend_scheme, "never"))
        return complain(m, "Metaspace: a prepend_scheme that is not known here");
    return 0;
}

static int read_pre_tokenizer(draft *d, const step *s, message *m)
{
    if (d->flags & (TABLE_BYTE_LEVEL | TABLE_METASPACE))
        return complain(m, "pre_tokenizer: a step after ByteLevel or Metaspace is not known here");
    if (json_equals(s->type, "Split"))
        return read_split(d, s, m);
    if (json_equals(s->type, "ByteLevel"))
        return read_byte_level(d, s, m);
    if (json_equals(s->type, "Metaspace")) {
        if (d->split != SPLIT_NONE)
            return complain(m, "pre_tokenizer: Metaspace after Split is not known here");
        return read_metaspace(d, s, m);
    }
    return refuse("pre_tokenizer", s, m);
}

/* --------------------------------------------------------------------------------------------------------------- decoders */

static int read_decoder(draft *d, const step *s, message *m)
{
    if (json_equals(s->type, "ByteLevel") || json_equals(s->type, "ByteFallback") || json_equals(s->type, "Fuse"))
        return 0; /* what the vocabulary says already; texts are put together here in any case */
    if (json_equals(s->type, "Replace")) {
        if (!is_pattern(s->pattern, "String", MARK) || !is_text(s->content, " "))
            return complain(m, "decoder Replace: only U+2581 by a blank is known here");
        d->flags |= TABLE_MARKS_TO_BLANKS;
        return 0;
    }
    if (json_equals(s->type, "Strip")) {
        if (!is_text(s->content, " ") || s->start > 1 || s->stop != 0)
            return complain(m, "decoder Strip: only one blank at the beginning is known here");
        d->flags |= s->start ? TABLE_STRIP_BLANK : 0;
        return 0;
    }
    if (json_equals(s->type, "Metaspace")) {
        const int never = is_text(s->prepend_scheme, "never") ||
                          (!s->prepend_scheme.text && s->has_add_prefix_space && !s->add_prefix_space);
        if (!is_text(s->replacement, MARK))
            return complain(m, "decoder Metaspace: a replacement other than U+2581 is not known here");
        d->flags |= TABLE_MARKS_TO_BLANKS | (never ? 0 : TABLE_STRIP_MARKS);
        return 0;
    }
    return refuse("decoder", s, m);
}

int import_pipeline(draft *d, const import_parts *parts, message *m)
{
    if (read_steps(d, parts->normalizer, "normalizer", read_normalizer, m) != 0 ||
        read_steps(d, parts->pre_tokenizer, "pre_tokenizer", read_pre_tokenizer, m) != 0 ||
        read_steps(d, parts->decoder, "decoder", read_decoder, m) != 0)
        return -1;
    if (d->split != SPLIT_NONE && !(d->flags & TABLE_BYTE_LEVEL))
        return complain(m, "pre_tokenizer Split without ByteLevel is not known here");
    if (d->flags & TABLE_BYTE_LEVEL && d->flags & (TABLE_BLANKS_TO_MARKS | TABLE_PREPEND_MARK | TABLE_MARKS_TO_BLANKS))
        return complain(m, "ByteLevel and U+2581 for blanks together are not known here");
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- post-processors */

/* {"SpecialToken": {"id": NAME, ...}}: its ids are in special_tokens. */
static int add_special(draft *d, json name, json special_tokens, int after, message *m)
{
    json key = { NULL, 0 }, token, inner, id;
    char text[TABLE_TEXT_MAX];
    if (json_kind_of(name) != JSON_STRING || json_string(name, text, sizeof text) == SIZE_MAX ||
        !special_tokens.text || json_kind_of(special_tokens) != JSON_OBJECT)
        return complain(m, "post_processor: a special token without a name");
    for (json_walk walk = json_begin(special_tokens); json_next(&walk, &key, &token); ) {
        if (!json_equals(key, text) || json_kind_of(token) != JSON_OBJECT)
            continue;
        for (json_walk members = json_begin(token); json_next(&members, &inner, &token); ) {
            if (!json_equals(inner, "ids") || json_kind_of(token) != JSON_ARRAY)
                continue;
            for (json_walk ids = json_begin(token); json_next(&ids, NULL, &id); ) {
                size_t *n = after ? &d->n_after : &d->n_before;
                uint64_t number;
                if (!json_unsigned(id, &number) || number >= d->n_tokens || !(d->tokens[number].flags & TOKEN_PRESENT))
                    return complain(m, "post_processor: %s has an id outside the vocabulary", text);
                if (*n == TABLE_AROUND_MAX)
                    return complain(m, "post_processor: more than %d ids around a text", TABLE_AROUND_MAX);
                (after ? d->after : d->before)[(*n)++] = (uint32_t)number;
            }
            return 0;
        }
    }
    return complain(m, "post_processor: %s has no ids", text);
}

/* The "id" of an object {KIND: {"id": ...}} of this kind; text is NULL if it is of another. */
static json id_of(json item, const char *kind)
{
    json key = { NULL, 0 }, value, none = { NULL, 0 };
    if (json_kind_of(item) != JSON_OBJECT)
        return none;
    for (json_walk walk = json_begin(item); json_next(&walk, &key, &value); ) {
        if (!json_equals(key, kind) || json_kind_of(value) != JSON_OBJECT)
            return none;
        for (json_walk inner = json_begin(value); json_next(&inner, &key, &value); )
            if (json_equals(key, "id"))
                return value;
    }
    return none;
}

static int read_post_processor(draft *d, const step *s, message *m)
{
    json item;
    int n_texts = 0;
    if (json_equals(s->type, "ByteLevel"))
        return 0; /* moves offsets only */
    if (!json_equals(s->type, "TemplateProcessing"))
        return refuse("post_processor", s, m);
    if (!s->single.text || json_kind_of(s->single) != JSON_ARRAY || d->n_before || d->n_after)
        return complain(m, "post_processor TemplateProcessing: one list \"single\" is needed");
    for (json_walk walk = json_begin(s->single); json_next(&walk, NULL, &item); ) {
        const json special = id_of(item, "SpecialToken"), text = id_of(item, "Sequence");
        if (special.text && add_special(d, special, s->special_tokens, n_texts, m) != 0)
            return -1;
        if (!special.text && (!text.text || !is_text(text, "A")))
            return complain(m, "post_processor TemplateProcessing: something that is neither a special token nor the text A");
        n_texts += special.text == NULL;
    }
    return n_texts == 1 ? 0 : complain(m, "post_processor TemplateProcessing: the text must be there once");
}

int import_around(draft *d, json post_processor, message *m)
{
    return read_steps(d, post_processor, "post_processor", read_post_processor, m);
}
