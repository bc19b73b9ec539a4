/*
 * json.h - reads JSON (RFC 8259) in place: nothing is copied, nothing allocated
 *
 * json_check reads a text once from end to end and accepts nothing but JSON: UTF-8 without surrogates, no lone halves of
 * pairs in escapes, no trailing commas, no NaN. After that every function below works on parts of the checked text and has
 * no syntax left to fail on. Names may repeat in an object; whoever reads one refuses that.
 */
#ifndef B2S6_CLI_JSON_H
#define B2S6_CLI_JSON_H

#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH 64  /* arrays and objects inside each other */

typedef enum json_kind {
    JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
} json_kind;

/* One checked value, without the space around it: text[0 .. size). */
typedef struct json {
    const char *text;
    size_t size;
} json;

/* Where a walk through an array or object is. */
typedef struct json_walk {
    const char *at, *end;
    int object;
} json_walk;

/* NULL, with *value the whole; or what is wrong, with *at how many bytes into the text. */
const char *json_check(json *value, const char *text, size_t size, size_t *at);

/* The same, but a bare Infinity may be a value, as Python's json module writes it: of kind JSON_NUMBER, and no double. */
const char *json_check_python(json *value, const char *text, size_t size, size_t *at);

json_kind json_kind_of(json value);

/* for (json_walk w = json_begin(object); json_next(&w, &key, &value); ) ...    key stays untouched for arrays */
json_walk json_begin(json container);
int json_next(json_walk *walk, json *key, json *value);

/* The string's bytes, decoded, and a zero byte. Returns their number; SIZE_MAX if they do not fit. size = string.size fits. */
size_t json_string(json string, char *out, size_t size);

/* Whether a string is this one. */
int json_equals(json string, const char *other);

/* Numbers: 1 if the value is one that fits. Unsigned: digits alone, no sign, fraction or exponent. */
int json_unsigned(json value, uint64_t *out);
int json_double(json value, double *out);

#endif
