/*
 * fuzz_tokenizer.c - tokenizers from anyone: whatever a tokenizer.json or a table says, reading it, and reading texts with
 * what was read, may not crash, leak, or read outside it
 *
 * The first byte says what the rest is:
 *
 *     j   a tokenizer.json; what is imported must open, and with a few bytes altered it must be refused or do no harm
 *     t   a table, as a model file carries it; what opens must stand texts and ids
 *
 * Texts are taken from the input's end. Link as fuzz_convert.c; -DFUZZ_MAIN runs files.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/cli/text/tokenizer/tokenizer.h"

enum { TEXT_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_tokenizer: %s\n", what);
    abort();
}

/* Every id must have a text of its own that can be written out. */
static void decode(const tokenizer *t, const token_list *list)
{
    unsigned char out[TOKENIZER_TEXT_MAX];
    token_decoder d = { { 0 }, 0, 0 };
    for (size_t i = 0; i < list->n; i++) {
        must(list->ids[i] >= 0 && (size_t)list->ids[i] < tokenizer_size(t), "an id outside the vocabulary");
        must(tokenizer_decode(t, &d, list->ids[i], 1, out) <= sizeof out, "a text longer than its room");
    }
    must(tokenizer_decode_end(&d, out) <= sizeof out, "an end longer than its room");
}

/* A text, with and without what a tokenizer puts around it; ids at random. */
static void use(tokenizer *t, const unsigned char *text, size_t size)
{
    static const unsigned flags[] = { 0, TOKENIZER_AROUND, TOKENIZER_PLAIN };
    char problem[200];
    message m = { problem, sizeof problem };
    int32_t before[8];
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        token_list list = { NULL, 0, 0 };
        if (tokenizer_encode(t, &list, text, size, flags[i], &m) == 0)
            decode(t, &list);
        free(list.ids);
    }
    for (size_t i = 0; i < size && i < 32 && tokenizer_size(t) > 0; i++) {
        size_t n;
        int special;
        (void)tokenizer_token(t, (int32_t)(text[i] * 251u % tokenizer_size(t)), &n, &special);
    }
    (void)tokenizer_before(t, before, sizeof before / sizeof before[0]);
}

static void fuzz_table(const unsigned char *table, size_t size, const unsigned char *text, size_t text_size, int must_open)
{
    char problem[200] = "";
    message m = { problem, sizeof problem };
    tokenizer *t = tokenizer_open(table, size, &m);
    must(t != NULL || !must_open, "what was imported does not open");
    must(t != NULL || (*problem && !strchr(problem, '\n')), "a failure without a line");
    if (t)
        use(t, text, text_size);
    tokenizer_close(t);
}

static void fuzz_json(const char *json, size_t size, const unsigned char *text, size_t text_size)
{
    char problem[200] = "";
    message m = { problem, sizeof problem };
    unsigned char *table = NULL;
    size_t table_size = 0;
    int status = tokenizer_import(&table, &table_size, json, size, &m);
    must(status == 0 || (status == -1 && *problem && !strchr(problem, '\n')), "neither a table nor one line");
    if (status != 0)
        return;
    fuzz_table(table, table_size, text, text_size, 1);
    for (size_t i = 0; i + 4 < text_size && i < 20; i += 5) {
        const size_t at = (text[i] | (size_t)text[i + 1] << 8 | (size_t)text[i + 2] << 16) % table_size;
        const unsigned char old = table[at];
        table[at] ^= text[i + 3] | 1;
        fuzz_table(table, table_size, text, text_size, 0);
        table[at] = i < 10 ? old : table[at]; /* some stay, so that two that belong together can be altered */
    }
    free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const size_t text_size = size < TEXT_MAX ? size : TEXT_MAX;
    unsigned char *copy = malloc(size + 1), *rest; /* of exactly its size for the sanitizer, with the letter taken off */
    if (size == 0 || !copy || !(rest = malloc(size > 1 ? size - 1 : 1))) {
        free(copy);
        return 0;
    }
    memcpy(copy, bytes, size);
    memcpy(rest, bytes + 1, size - 1);
    if (bytes[0] == 'j')
        fuzz_json((const char *)rest, size - 1, copy + size - text_size, text_size);
    else if (bytes[0] == 't')
        fuzz_table(rest, size - 1, copy + size - text_size, text_size, 0);
    free(rest);
    free(copy);
    return 0;
}

#ifdef FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
        must(file != NULL, argv[i]);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
#endif
