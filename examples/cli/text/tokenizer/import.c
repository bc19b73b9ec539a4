/* import.c - reads a tokenizer.json: the file as a whole */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "../../support/json_fields.h"
#include "tokenizer.h"

/* Truncation and padding say how long a text may be, which is for the caller here. */
static int read_parts(json whole, import_parts *parts, message *m)
{
#define PART(name, required) { #name, FIELD_ANY, offsetof(import_parts, name), required, 0, 0, NULL }
    static const json_field fields[] = {
        PART(version, 0), PART(truncation, 0), PART(padding, 0), PART(added_tokens, 0), PART(normalizer, 0),
        PART(pre_tokenizer, 0), PART(post_processor, 0), PART(decoder, 0), PART(model, 1),
    };
#undef PART
    uint32_t present;
    memset(parts, 0, sizeof *parts);
    if (json_kind_of(whole) != JSON_OBJECT)
        return complain(m, "not a tokenizer.json: not an object");
    return json_read_fields(whole, "", fields, sizeof fields / sizeof fields[0], 1, parts, &present, m);
}

static int import(draft *d, json whole, message *m)
{
    import_parts parts;
    if (read_parts(whole, &parts, m) != 0)
        return -1;
    if (import_pipeline(d, &parts, m) != 0 || import_vocabulary(d, &parts, m) != 0)
        return -1;
    return import_around(d, parts.post_processor, m);
}

int tokenizer_import(unsigned char **bytes, size_t *bytes_size, const char *text, size_t size, message *m)
{
    draft d;
    json whole;
    size_t at;
    int failed;
    const char *problem = json_check(&whole, text, size, &at);
    *bytes = NULL;
    if (problem)
        return complain(m, "not JSON: %s (byte %llu)", problem, (unsigned long long)at);
    memset(&d, 0, sizeof d);
    d.unknown = TABLE_NONE;
    failed = import(&d, whole, m);
    if (!failed)
        failed = draft_write(&d, bytes, bytes_size, m);
    draft_free(&d);
    return failed;
}
