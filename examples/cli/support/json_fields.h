/*
 * json_fields.h - reads a JSON object into a C structure, told by a table what may be in it
 *
 * The table names each key, its type, where its value goes and what is allowed. A key that is missing, given twice, of
 * another type or out of range is an error that names it.
 */
#ifndef B2S6_CLI_JSON_FIELDS_H
#define B2S6_CLI_JSON_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "message.h"

typedef enum json_field_type {
    FIELD_BOOLEAN,  /* uint32_t: 0, 1 */
    FIELD_UNSIGNED, /* uint32_t: low .. high */
    FIELD_CHOICE,   /* uint32_t: the value of one of the choices */
    FIELD_REAL,     /* double: finite, >= 0 */
    FIELD_OBJECT,   /* json: for a table of its own */
    FIELD_ANY       /* json: looked at elsewhere */
} json_field_type;

typedef struct json_choice {
    const char *name;  /* NULL ends the list */
    uint32_t value;
} json_choice;

typedef struct json_field {
    const char *name;
    json_field_type type;
    size_t offset;    /* of the member in the structure; untouched when the key is absent */
    int required;
    uint32_t low, high;
    const json_choice *choices;
} json_field;

#define JSON_FIELDS_MAX 32

/*
 * where: how errors call the object, "unit"; empty for the outermost. strict: keys that the table does not have are errors.
 * *present gets bit i for a table's entry i that was there. 0 or -1.
 */
int json_read_fields(json object, const char *where, const json_field *fields, size_t n_fields, int strict, void *structure,
                     uint32_t *present, message *m);

#endif
