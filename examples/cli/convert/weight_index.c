/* weight_index.c - see weight_index.h */
#include "weight_index.h"

#include <stdlib.h>
#include <string.h>

#include "../support/json.h"

enum { FILE_NAME_BYTES = 255 };

/* The next string of the block, which is as large as the text: decoding makes none longer. NULL if it holds a zero byte. */
static const char *keep_string(char **next, json string)
{
    char *text = *next;
    size_t length = json_string(string, text, string.size);
    if (length == SIZE_MAX || strlen(text) != length)
        return NULL;
    *next += length + 1;
    return text;
}

static int is_plain(const char *name)
{
    return *name && strlen(name) <= FILE_NAME_BYTES && !strchr(name, '/') && !strchr(name, '\\') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* The value of "weight_map"; *found tells whether there is one. */
static int find_map(json whole, json *map, message *m)
{
    json key, value;
    int found = 0;
    if (json_kind_of(whole) != JSON_OBJECT)
        return complain(m, "it is not a JSON object");
    for (json_walk walk = json_begin(whole); json_next(&walk, &key, &value); )
        if (json_equals(key, "weight_map")) {
            if (found++)
                return complain(m, "weight_map is given twice");
            *map = value;
        }
    if (!found || json_kind_of(*map) != JSON_OBJECT)
        return complain(m, "weight_map is %s", found ? "not an object" : "missing");
    return 0;
}

static int read_places(weight_index *index, json map, message *m)
{
    char *next = index->strings;
    json key, value;
    for (json_walk walk = json_begin(map); json_next(&walk, &key, &value); ) {
        weight_place *p = &index->places[index->n_places];
        p->tensor = keep_string(&next, key);
        if (!p->tensor)
            return complain(m, "a tensor's name holds a zero byte");
        p->file = json_kind_of(value) == JSON_STRING ? keep_string(&next, value) : NULL;
        if (!p->file || !is_plain(p->file))
            return complain(m, "tensor %.80s: its file %.80s%sis not a plain name: the parts of a checkpoint must be in its own "
                               "folder", p->tensor, p->file ? p->file : "", p->file ? " " : "");
        index->files[index->n_places++] = p->file;
    }
    return index->n_places ? 0 : complain(m, "weight_map is empty");
}

static int by_tensor(const void *a, const void *b)
{
    return strcmp(((const weight_place *)a)->tensor, ((const weight_place *)b)->tensor);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts both, and leaves each file once. */
static int sort(weight_index *index, message *m)
{
    qsort(index->places, index->n_places, sizeof *index->places, by_tensor);
    for (size_t i = 1; i < index->n_places; i++)
        if (strcmp(index->places[i - 1].tensor, index->places[i].tensor) == 0)
            return complain(m, "tensor %.80s is given twice", index->places[i].tensor);
    qsort(index->files, index->n_places, sizeof *index->files, by_text);
    for (size_t i = 0; i < index->n_places; i++)
        if (i == 0 || strcmp(index->files[i], index->files[index->n_files - 1]) != 0)
            index->files[index->n_files++] = index->files[i];
    if (index->n_files > WEIGHT_FILES_MAX)
        return complain(m, "%zu files, more than %d", index->n_files, WEIGHT_FILES_MAX);
    return 0;
}

static int read_all(weight_index *index, const char *text, size_t size, message *m)
{
    json whole, map = { NULL, 0 }, key, value;
    size_t at, n = 1;
    const char *problem = json_check(&whole, text, size, &at);
    if (problem)
        return complain(m, "not JSON: %s (byte %zu)", problem, at);
    if (find_map(whole, &map, m) != 0)
        return -1;
    for (json_walk walk = json_begin(map); json_next(&walk, &key, &value); )
        n++;
    index->places = calloc(n, sizeof *index->places);
    index->files = calloc(n, sizeof *index->files);
    index->strings = malloc(size + 1);
    if (!index->places || !index->files || !index->strings)
        return complain(m, "out of memory");
    return read_places(index, map, m) != 0 ? -1 : sort(index, m);
}

int weight_index_read(weight_index *index, const char *text, size_t size, message *m)
{
    memset(index, 0, sizeof *index);
    if (read_all(index, text, size, m) == 0)
        return 0;
    weight_index_close(index);
    return -1;
}

void weight_index_close(weight_index *index)
{
    free(index->places);
    free(index->files);
    free(index->strings);
    memset(index, 0, sizeof *index);
}

int weight_index_check(const weight_index *index, const tensor_source *s, message *m)
{
    for (size_t i = 0; i < index->n_places; i++) {
        const weight_place *p = &index->places[i];
        const tensor_entry *e = tensor_source_find(s, p->tensor);
        if (!e)
            return complain(m, "tensor %.80s is to be in %.80s, but is not: download the files again", p->tensor, p->file);
        if (strcmp(e->file, p->file) != 0)
            return complain(m, "tensor %.80s is to be in %.80s, but is in %.80s: download the files again", p->tensor, p->file,
                            e->file);
    }
    for (size_t i = 0; i < s->n_entries && s->n_entries != index->n_places; i++) {
        const weight_place key = { s->entries[i].view.name, NULL };
        if (!bsearch(&key, index->places, index->n_places, sizeof key, by_tensor))
            return complain(m, "tensor %.80s of %.80s is not in it: download the files again", s->entries[i].view.name,
                            s->entries[i].file);
    }
    return 0;
}
