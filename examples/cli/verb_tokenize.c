/* verb_tokenize.c - b2s6 tokenize: text to token ids and back */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cli.h"
#include "support/file_bytes.h"
#include "text/text_model.h"
#include "text/text_output.h"
#include "text/tokenizer/token_list.h"
#include "text/tokenizer/unicode.h"

static const char help[] =
    "usage: b2s6 tokenize MODEL.b2s6 FILE [--decode] [--each] [--around] [--plain]\n"
    "\n"
    "Prints the token ids of a text, in one line. '-' is standard input. Instead of a model, whose file has\n"
    "a tokenizer or whose tokens are bytes, a tokenizer.json will do.\n"
    "\n"
    "  --decode   the other way: FILE holds ids, with white space or commas between them; prints their text\n"
    "  --each     one token a line: its id and its text, in quotes\n"
    "  --around   with the ids that the tokenizer puts before and after a text (<s>)\n"
    "  --plain    control tokens that are written out in the text (<|endoftext|>) are mere text\n";

typedef struct options {
    const char *operands[2];
    int decode, each, around, plain;
} options;

/* ----------------------------------------------------------------------------------------------------------- vocabulary */

/* A vocabulary, and what it rests on. */
typedef struct vocabulary {
    text_model text;
    unsigned char *table; /* of a tokenizer.json; NULL: the vocabulary is a model's */
} vocabulary;

/* Whether a file's first byte but for blanks is that of a JSON object. */
static int is_json(const file_bytes *file)
{
    size_t at = 0;
    while (at < file->size && file->bytes[at] > 0 && strchr(" \t\r\n", file->bytes[at]))
        at++;
    return at < file->size && file->bytes[at] == '{';
}

static int open_json(vocabulary *v, const file_bytes *file, message *m)
{
    size_t size;
    if (tokenizer_import(&v->table, &size, (const char *)file->bytes, file->size, m) != 0)
        return -1;
    v->text.tokenizer = tokenizer_open(v->table, size, m);
    if (!v->text.tokenizer)
        return -1;
    v->text.n_tokens = v->text.width = tokenizer_size(v->text.tokenizer);
    return 0;
}

static int open_vocabulary(vocabulary *v, const char *path, message *m)
{
    char unused_text[8];
    message unused = { unused_text, sizeof unused_text };
    file_bytes file;
    int json, failed = 0;
    memset(v, 0, sizeof *v);
    if (file_bytes_read(&file, path, &unused) != 0)
        return text_model_open(&v->text, path, NULL, m); /* which knows why not, and what else it may be */
    json = is_json(&file);
    if (json)
        failed = open_json(v, &file, m);
    file_bytes_release(&file);
    return json ? failed : text_model_open(&v->text, path, NULL, m);
}

static void close_vocabulary(vocabulary *v)
{
    text_model_close(&v->text);
    free(v->table);
}

/* ------------------------------------------------------------------------------------------------------------ text to ids */

/* In quotes, with what cannot be shown as \xNN. */
static void print_quoted(const unsigned char *text, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++)
        if (text[i] == '"' || text[i] == '\\')
            printf("\\%c", text[i]);
        else if (text[i] == '\n')
            printf("\\n");
        else if (text[i] == '\t')
            printf("\\t");
        else if (text[i] < 0x20 || text[i] == 0x7f)
            printf("\\x%02X", text[i]);
        else
            putchar(text[i]);
    puts("\"");
}

/* A token alone, which may be a part of a character: then its bytes are shown as numbers. */
static void print_each(const text_model *t, int32_t id)
{
    unsigned char text[TOKENIZER_TEXT_MAX];
    token_decoder d = { { 0 }, 0, 1 };
    size_t n = text_decode(t, &d, id, 1, text);
    int whole = d.n_waiting == 0;
    for (size_t i = 0, size; i < n && whole; i += size) {
        uint32_t c;
        size = utf8_read(text + i, n - i, &c);
        whole = c != UTF8_INVALID && !(c >= 0x80 && c < 0xa0);
    }
    printf("%ld\t", (long)id);
    if (whole) {
        print_quoted(text, n);
        return;
    }
    n += tokenizer_decode_end(&d, text + n);
    for (size_t i = 0; i < n; i++)
        printf("%s%02X", i ? " " : "", text[i]);
    putchar('\n');
}

static int print_ids(const options *o, const text_model *t, const file_bytes *in, message *m)
{
    token_list list = { NULL, 0, 0 };
    const unsigned flags = (o->around ? TOKENIZER_AROUND : 0) | (o->plain ? TOKENIZER_PLAIN : 0);
    int failed = t->tokenizer ? tokenizer_encode(t->tokenizer, &list, in->bytes, in->size, flags, m)
                              : text_encode(t, &list, in->bytes, in->size, o->plain, m);
    for (size_t i = 0; i < list.n && !failed; i++)
        if (o->each)
            print_each(t, list.ids[i]);
        else
            printf("%s%ld", i ? " " : "", (long)list.ids[i]);
    if (!failed && !o->each)
        putchar('\n');
    free(list.ids);
    return failed;
}

/* ------------------------------------------------------------------------------------------------------------ ids to text */

static int is_between(unsigned char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

/* The ids that are written in a file. */
static int read_ids(token_list *list, const text_model *t, const file_bytes *in, message *m)
{
    for (size_t i = 0; i < in->size; ) {
        const size_t begin = i;
        uint64_t id = 0;
        if (is_between(in->bytes[i])) {
            i++;
            continue;
        }
        for (; i < in->size && in->bytes[i] >= '0' && in->bytes[i] <= '9' && id <= INT32_MAX; i++)
            id = id * 10 + (uint64_t)(in->bytes[i] - '0');
        if (i == begin || (i < in->size && !is_between(in->bytes[i])))
            return complain(m, "byte %zu: an id is needed, a decimal number of the vocabulary", begin + 1);
        if (id >= t->n_tokens)
            return complain(m, "byte %zu: there is no token %llu, the last one is %zu", begin + 1, (unsigned long long)id,
                            t->n_tokens - 1);
        if (token_list_add(list, (uint32_t)id) != 0)
            return complain(m, "out of memory");
    }
    return 0;
}

static int print_text(const options *o, const text_model *t, const file_bytes *in, message *m)
{
    unsigned char text[TOKENIZER_TEXT_MAX];
    token_list list = { NULL, 0, 0 };
    token_decoder d = { { 0 }, 0, 0 };
    text_output out;
    int failed = read_ids(&list, t, in, m);
    text_output_begin(&out, stdout, NULL, 0);
    out.at_once = 0;
    for (size_t i = 0; i < list.n && !failed; i++)
        if (o->each)
            print_each(t, list.ids[i]);
        else
            text_output_plain(&out, text, text_decode(t, &d, list.ids[i], 1, text));
    if (!failed)
        text_output_plain(&out, text, tokenizer_decode_end(&d, text));
    text_output_end(&out);
    free(list.ids);
    return failed;
}

/* ------------------------------------------------------------------------------------------------------------------ verb */

static int tokenize(const options *o, const text_model *t)
{
    const int piped = strcmp(o->operands[1], "-") == 0;
    const char *name = piped ? "standard input" : o->operands[1];
    char text[300];
    message m = { text, sizeof text };
    file_bytes in;
    int failed;
    if (file_bytes_read(&in, piped ? "/dev/stdin" : o->operands[1], &m) != 0)
        return cli_fail("%s: %s", name, text);
    failed = o->decode ? print_text(o, t, &in, &m) : print_ids(o, t, &in, &m);
    file_bytes_release(&in);
    return failed ? cli_fail("%s: %s", name, text) : 0;
}

static int run(int argc, char **argv)
{
    options o = { { NULL, NULL }, 0, 0, 0, 0 };
    const cli_option known[] = {
        { "--decode", NULL, &o.decode }, { "--each", NULL, &o.each }, { "--around", NULL, &o.around },
        { "--plain", NULL, &o.plain },
    };
    char text[400];
    message m = { text, sizeof text };
    vocabulary v;
    int status = cli_parse(&verb_tokenize, argc, argv, known, sizeof known / sizeof known[0], o.operands, 2);
    if (status != 0)
        return status;
    if (open_vocabulary(&v, o.operands[0], &m) != 0)
        status = cli_fail("%s: %s", o.operands[0], text);
    else
        status = tokenize(&o, &v.text);
    close_vocabulary(&v);
    return status;
}

const cli_verb verb_tokenize = { "tokenize", "turn text into token ids, and ids into text", help, run };
