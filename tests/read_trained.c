/*
 * read_trained.c - reads back the safetensors files that the project itself made (the stored cases)
 *
 * It is apart from the converter's reader on purpose, so that the two check each other, and it is short because it looks
 * for what must be there instead of parsing: a key's value is found by searching for the key inside its object.
 */
#include "trained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t get_le(const unsigned char *from, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | from[n];
    return value;
}

/* What follows "key": from `from` on; NULL if it is not there. */
static const char *value_of(const char *from, const char *key)
{
    char quoted[80];
    const char *found;
    if (from == NULL)
        return NULL;
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    found = strstr(from, quoted);
    return found ? found + strlen(quoted) : NULL;
}

static uint32_t number_of(const char *from, const char *key)
{
    const char *value = value_of(from, key);
    return value ? (uint32_t)strtoul(value, NULL, 10) : 0;
}

static int truth_of(const char *from, const char *key)
{
    const char *value = value_of(from, key);
    return value != NULL && strncmp(value, "true", 4) == 0;
}

/* Which of the names (the n after first) the string value is, counted from first. */
static int name_of(const char *from, const char *key, const char *const *names, int first, int n)
{
    const char *value = value_of(from, key);
    for (int i = first; value != NULL && i < first + n; i++)
        if (strncmp(value + 1, names[i], strlen(names[i])) == 0 && value[1 + strlen(names[i])] == '"')
            return i;
    return -1;
}

static void read_unit(unit_config *u, const char *json)
{
    const char *unit = value_of(json, "unit"), *states = value_of(unit, "states");
    u->h = number_of(unit, "h");
    u->d_state = number_of(unit, "d_state");
    u->complex_state = truth_of(unit, "complex");
    u->a_scope = (b2s6_scope)name_of(unit, "a_scope", scope_names, 1, 3);
    u->b_weight = truth_of(unit, "b_weight");
    u->b_bias = truth_of(unit, "b_bias");
    u->c_selective = strncmp(value_of(unit, "c"), "\"selective\"", 11) == 0;
    u->c_complex = truth_of(unit, "c_complex");
    u->delta = (b2s6_delta)name_of(unit, "delta", delta_names, 1, 3);
    u->dt_rank = number_of(unit, "dt_rank");
    u->euler = strncmp(value_of(unit, "discretization"), "\"euler\"", 7) == 0;
    u->conjugate = truth_of(unit, "conjugate");
    u->skip = truth_of(unit, "skip");
    u->plain_states = states != NULL && strncmp(states, "\"plain\"", 7) == 0;
}

static int read_config(model_config *c, const char *json)
{
    const char *input = value_of(json, "input"), *norm = value_of(json, "norm"), *head = value_of(json, "head");
    const char *final_norm = value_of(json, "final_norm"), *eps = value_of(norm, "eps");
    if (!input || !norm || !final_norm || !head || !eps || !value_of(json, "unit"))
        return 0;
    c->d_model = number_of(json, "d_model");
    c->n_layers = number_of(json, "n_layers");
    c->input_kind = strncmp(value_of(input, "kind"), "\"tokens\"", 8) == 0 ? B2S6_TOKENS : B2S6_FEATURES;
    c->input_size = number_of(input, "size");
    c->norm = (b2s6_norm)name_of(norm, "kind", norm_names, 0, 4);
    c->norm_eps = strtod(eps, NULL);
    c->norm_post = strncmp(value_of(norm, "place"), "\"post\"", 6) == 0;
    c->final_norm = (b2s6_norm)name_of(final_norm, "kind", norm_names, 0, 4);
    c->final_norm_eps = strtod(value_of(final_norm, "eps"), NULL);
    c->block = strncmp(value_of(json, "block"), "\"s4\"", 4) == 0 ? B2S6_BLOCK_S4 : B2S6_BLOCK_MAMBA;
    c->d_inner = c->block == B2S6_BLOCK_S4 ? c->d_model : number_of(json, "d_inner");
    c->d_conv = c->block == B2S6_BLOCK_S4 ? 0 : number_of(json, "d_conv");
    c->bidirectional = truth_of(json, "bidirectional");
    read_unit(&c->unit, json);
    c->pool = (b2s6_pool)name_of(json, "pool", pool_names, 0, 3);
    c->head_size = number_of(head, "size");
    c->head_bias = truth_of(head, "bias");
    c->head_tied = truth_of(head, "tied");
    return 1;
}

/* One entry, name": {"dtype": "F32", "shape": [..], "data_offsets": [a, b]}; name points behind its opening quote. */
static int read_tensor(trained_model *model, const char *name, const unsigned char *data, size_t data_size)
{
    char copy[56];
    const char *shape = value_of(name, "shape"), *offsets = value_of(name, "data_offsets"), *at;
    size_t dimensions[4], rank = 0, begin;
    trained_tensor *t;
    if (!shape || !offsets || strncmp(value_of(name, "dtype"), "\"F32\"", 5) != 0)
        return 0;
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(name, "\""), name);
    for (at = shape + 1; rank < 4 && at[-1] != ']'; rank++) {
        char *end;
        dimensions[rank] = strtoul(at, &end, 10);
        at = end + 1;
    }
    t = trained_add(model, copy, rank, dimensions);
    begin = strtoul(offsets + 1, NULL, 10);
    if (begin > data_size || data_size - begin < 4 * t->count)
        return 0;
    for (size_t i = 0; i < t->count; i++) {
        uint32_t bits = (uint32_t)get_le(data + begin + 4 * i, 4);
        memcpy(t->values + i, &bits, 4);
    }
    return 1;
}

/* The metadata's string with its escapes undone, in place; returns its end. */
static char *unescape(char *from)
{
    char *to = from;
    while (*from != '"' && *from != 0) {
        from += *from == '\\';
        *to++ = *from++;
    }
    *to = 0;
    return from + 1;
}

int trained_read(trained_model *model, const unsigned char *data, size_t size)
{
    size_t json_size = size < 8 ? 0 : (size_t)get_le(data, 8);
    char *json = json_size == 0 || json_size > size - 8 ? NULL : (char *)calloc(1, json_size + 1), *config, *at;
    int good = 0;
    memset(model, 0, sizeof *model);
    if (json == NULL)
        return 0;
    memcpy(json, data + 8, json_size);
    config = strstr(json, "\"b2s6\": \"");
    if (config != NULL) {
        config += strlen("\"b2s6\": \"");
        at = unescape(config);
        good = read_config(&model->config, config);
        while (good && (at = strstr(at, "\": {\"dtype\"")) != NULL) {
            char *name = at;
            while (name[-1] != '"')
                name--;
            good = read_tensor(model, name, data + 8 + json_size, size - 8 - json_size);
            at++;
        }
    }
    free(json);
    return good;
}
