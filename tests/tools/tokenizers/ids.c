/*
 * ids.c - tokenizes many texts, for compare.mjs
 *
 *     ids TOKENIZER.json TEXTS IDS     TEXTS: each a u32 size and its bytes; IDS: each a u32 count and int32 ids
 *
 * Fails if the ids do not lead back to the text where the tokenizer has no normalizer;
 * the last argument --normalized says it has.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../examples/cli/text/tokenizer/tokenizer.h"

static char *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *bytes;
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return NULL;
    *size = (size_t)ftell(f);
    rewind(f);
    bytes = malloc(*size + 1);
    if (bytes && fread(bytes, 1, *size, f) != *size)
        return NULL;
    fclose(f);
    return bytes;
}

static int leads_back(const tokenizer *t, const token_list *list, const unsigned char *text, size_t size)
{
    unsigned char out[TOKENIZER_TEXT_MAX];
    token_decoder d = { { 0 }, 0, 0 };
    size_t at = 0, n;
    for (size_t i = 0; i <= list->n; i++) {
        n = i < list->n ? tokenizer_decode(t, &d, list->ids[i], 1, out) : tokenizer_decode_end(&d, out);
        if (n > size - at || memcmp(out, text + at, n) != 0)
            return 0;
        at += n;
    }
    return at == size;
}

int main(int argc, char **argv)
{
    char text[300];
    message m = { text, sizeof text };
    size_t json_size, size, table_size, at = 0, bytes = 0;
    unsigned char *bytes_of_table, *texts;
    const int normalized = argc > 4 && strcmp(argv[4], "--normalized") == 0;
    char *json = argc > 3 ? read_whole(argv[1], &json_size) : NULL;
    FILE *out = argc > 3 ? fopen(argv[3], "wb") : NULL;
    tokenizer *t;
    clock_t spent = 0;
    texts = argc > 3 ? (unsigned char *)read_whole(argv[2], &size) : NULL;
    if (!json || !texts || !out || tokenizer_import(&bytes_of_table, &table_size, json, json_size, &m) != 0 ||
        !(t = tokenizer_open(bytes_of_table, table_size, &m))) {
        fprintf(stderr, "ids: %s\n", json && texts && out ? text : "usage: ids TOKENIZER.json TEXTS IDS");
        return 1;
    }
    while (at + 4 <= size) {
        token_list list = { NULL, 0, 0 };
        uint32_t n, count;
        clock_t begun;
        memcpy(&n, texts + at, 4);
        at += 4;
        begun = clock();
        if (tokenizer_encode(t, &list, texts + at, n, 0, &m) != 0) {
            fprintf(stderr, "ids: %s\n", text);
            return 1;
        }
        spent += clock() - begun;
        if (!normalized && !leads_back(t, &list, texts + at, n)) {
            fprintf(stderr, "ids: a text at byte %lu does not come back\n", (unsigned long)at);
            return 1;
        }
        count = (uint32_t)list.n;
        fwrite(&count, 4, 1, out);
        fwrite(list.ids, 4, list.n, out);
        free(list.ids);
        at += n;
        bytes += n;
    }
    fprintf(stderr, "%lu bytes, %.1f MB/s\n", (unsigned long)bytes, 
            (double)bytes / 1e6 / ((double)(spent + 1) / CLOCKS_PER_SEC));
    tokenizer_close(t);
    free(bytes_of_table);
    free(texts);
    free(json);
    return fclose(out) != 0;
}
