/* json_fields.c - reads a JSON object into a C structure by a table of its keys */
#include "json_fields.h"

#include <stdio.h>
#include <string.h>

/* "unit.h", or "unit" inside the outermost object. */
typedef struct place {
    char text[128];
} place;

static place place_of(const char *where, const char *name)
{
    place p;
    snprintf(p.text, sizeof p.text, "%.40s%s%.80s", where, *where ? "." : "", name);
    return p;
}

static int read_choice(json value, const json_field *field, uint32_t *out, const char *name, message *m)
{
    char list[100] = "";
    if (json_kind_of(value) == JSON_STRING)
        for (const json_choice *c = field->choices; c->name; c++)
            if (json_equals(value, c->name)) {
                *out = c->value;
                return 0;
            }
    for (const json_choice *c = field->choices; c->name; c++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"%s\"", c == field->choices ? "" : ", ", c->name);
    return complain(m, "%s is not one of %s", name, list);
}

static int read_field(json value, const json_field *field, void *structure, const char *name, message *m)
{
    void *member = (char *)structure + field->offset;
    json_kind kind = json_kind_of(value);
    uint64_t number;
    uint32_t word = 0;
    double real;
    switch (field->type) {
    case FIELD_BOOLEAN:
        if (kind != JSON_TRUE && kind != JSON_FALSE)
            return complain(m, "%s is neither true nor false", name);
        word = kind == JSON_TRUE;
        memcpy(member, &word, sizeof word);
        return 0;
    case FIELD_UNSIGNED:
        if (kind != JSON_NUMBER || !json_unsigned(value, &number) || number < field->low || number > field->high)
            return complain(m, "%s is not an integer from %u to %u", name, (unsigned)field->low, (unsigned)field->high);
        word = (uint32_t)number;
        memcpy(member, &word, sizeof word);
        return 0;
    case FIELD_CHOICE:
        if (read_choice(value, field, &word, name, m) != 0)
            return -1;
        memcpy(member, &word, sizeof word);
        return 0;
    case FIELD_REAL:
        if (!json_double(value, &real) || !(real >= 0))
            return complain(m, "%s is not a finite number >= 0", name);
        memcpy(member, &real, sizeof real);
        return 0;
    case FIELD_OBJECT:
        if (kind != JSON_OBJECT)
            return complain(m, "%s is not an object", name);
        break;
    case FIELD_ANY:
        break;
    }
    memcpy(member, &value, sizeof value);
    return 0;
}

static size_t find_field(json key, const json_field *fields, size_t n_fields)
{
    size_t i = 0;
    while (i < n_fields && !json_equals(key, fields[i].name))
        i++;
    return i;
}

int json_read_fields(json object, const char *where, const json_field *fields, size_t n_fields, int strict, void *structure,
                     uint32_t *present, message *m)
{
    json key = { NULL, 0 }, value;
    *present = 0;
    for (json_walk walk = json_begin(object); json_next(&walk, &key, &value); ) {
        size_t i = find_field(key, fields, n_fields);
        if (i == n_fields) {
            char name[60];
            if (!strict)
                continue;
            if (json_string(key, name, sizeof name) == SIZE_MAX)
                strcpy(name, "a key with a long name");
            return complain(m, "%s is not a key that is known", place_of(where, name).text);
        }
        if (*present & 1u << i)
            return complain(m, "%s is given twice", place_of(where, fields[i].name).text);
        *present |= 1u << i;
        if (read_field(value, &fields[i], structure, place_of(where, fields[i].name).text, m) != 0)
            return -1;
    }
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i].required && !(*present & 1u << i))
            return complain(m, "%s is missing", place_of(where, fields[i].name).text);
    return 0;
}
