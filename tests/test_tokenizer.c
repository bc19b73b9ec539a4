/*
 * test_tokenizer.c - tokenizers: ids as Hugging Face's own library gives them, texts that come back, hostile files
 *
 * tests/tokenizers holds two small tokenizers (tests/tools/tokenizers/train.py) and what they make of many texts
 * (tests/tools/tokenizers/compare.mjs --expected).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/text/tokenizer/tokenizer.h"
#include "../examples/cli/text/tokenizer/unicode.h"
#include "files.h"
#include "random.h"
#include "subjects.h"
#include "suites.h"

typedef struct opened {
    char *json;
    size_t json_size, size;
    unsigned char *bytes; /* (size): the table */
    tokenizer *t;
} opened;

static char problem[300];
static message m = { problem, sizeof problem };

static opened open_small(const char *name)
{
    char path[60];
    opened o;
    snprintf(path, sizeof path, "tokenizers/%s.json", name);
    o.json = (char *)read_file(tests_folder, path, &o.json_size);
    CHECK(o.json != NULL);
    problem[0] = 0;
    CHECK(tokenizer_import(&o.bytes, &o.size, o.json, o.json_size, &m) == 0);
    o.t = tokenizer_open(o.bytes, o.size, &m);
    CHECK(o.t != NULL);
    return o;
}

static void close_small(opened *o)
{
    tokenizer_close(o->t);
    free(o->bytes);
    free(o->json);
}

/* All ids as text; returns its size. out has room for it. */
static size_t decode_all(const tokenizer *t, const token_list *list, unsigned char *out)
{
    unsigned char part[TOKENIZER_TEXT_MAX];
    token_decoder d = { { 0 }, 0, 0 };
    size_t size = 0;
    for (size_t i = 0; i <= list->n; i++) {
        const size_t n = i < list->n ? tokenizer_decode(t, &d, list->ids[i], 1, part) : tokenizer_decode_end(&d, part);
        memcpy(out + size, part, n);
        size += n;
    }
    return size;
}

/* ------------------------------------------------------------------------------------------------------------- expected */

static size_t from_hex(const char *hex, unsigned char *out)
{
    size_t n = 0;
    unsigned byte;
    for (; *hex != '-' && hex[0] && hex[1] && sscanf(hex, "%2x", &byte) == 1; hex += 2)
        out[n++] = (unsigned char)byte;
    return n;
}

/* A line: the tokenizer, the text in hexadecimal digits, its ids. */
static int check_line(const opened *o, const char *name, char *line)
{
    static unsigned char text[8192];
    char *of = strtok(line, " "), *hex = strtok(NULL, " "), *id;
    token_list list = { NULL, 0, 0 };
    size_t size, i = 0;
    if (!of || !hex || strcmp(of, name) != 0)
        return 0;
    test_context("%s: %.200s", name, hex);
    CHECK(strlen(hex) < 2 * sizeof text);
    size = from_hex(hex, text);
    CHECK(tokenizer_encode(o->t, &list, text, size, 0, &m) == 0);
    for (id = strtok(NULL, " "); id; id = strtok(NULL, " "), i++)
        CHECK(i < list.n && list.ids[i] == atoi(id));
    CHECK_EQUAL_SIZE(i, list.n);
    free(list.ids);
    return 1;
}

static void check_expected(const char *name)
{
    opened o = open_small(name);
    size_t size;
    char *lines = (char *)read_file(tests_folder, "tokenizers/expected.txt", &size), *at = lines, *end;
    int n = 0;
    CHECK(lines != NULL);
    while (at < lines + size && (end = memchr(at, '\n', (size_t)(lines + size - at))) != NULL) {
        *end = 0;
        n += check_line(&o, name, at);
        at = end + 1;
    }
    CHECK(n >= 80);
    free(lines);
    close_small(&o);
}

static void test_expected_bytes(void)
{
    check_expected("bytes");
}

static void test_expected_characters(void)
{
    check_expected("characters");
}

/* ------------------------------------------------------------------------------------------------------------ round trips */

/* Bytes of every kind: valid UTF-8, bits of it, none at all. Nothing that NFC changes, nor U+2581. */
static size_t make_text(unsigned char *text, size_t size, random_source *random)
{
    static const char *const parts[] = { " ", "the", "\n", "  ", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\xf0\x9f", "\xe4",
                                         "\xff", "\xc0\xaf", "\xed\xa0\x80", "a", "0", "<0x41>", "<|end|>", "</s>", "'s", "\xe2\x96",
                                         "_", "\x80" };
    size_t n = 0;
    while (n + 8 < size) {
        const char *part = RANDOM_OF(random, parts);
        for (uint32_t k = 1 + random_below(random, 3); k > 0 && n + 8 < size; k--) {
            memcpy(text + n, part, strlen(part));
            n += strlen(part);
        }
    }
    return n;
}

static void check_round_trips(const char *name)
{
    opened o = open_small(name);
    random_source random = { 41 };
    unsigned char text[600], back[2000];
    for (int k = 0; k < 2000; k++) {
        token_list list = { NULL, 0, 0 };
        const size_t size = make_text(text, 10 + random_below(&random, 500), &random);
        const unsigned flags = k % 2 ? TOKENIZER_PLAIN : 0;
        test_context("%s, text %d", name, k);
        CHECK(tokenizer_encode(o.t, &list, text, size, flags, &m) == 0);
        for (size_t i = 0; i < list.n; i++)
            CHECK(list.ids[i] >= 0 && (size_t)list.ids[i] < tokenizer_size(o.t));
        if (flags == TOKENIZER_PLAIN || strcmp(name, "bytes") == 0) { /* "<s>" between texts leaves more blanks behind */
            CHECK_EQUAL_SIZE(size, decode_all(o.t, &list, back));
            CHECK_BYTES(text, back, size);
        }
        free(list.ids);
    }
    close_small(&o);
}

static void test_round_trips(void)
{
    check_round_trips("bytes");
    check_round_trips("characters");
}

/* What comes out while ids come in is whole characters, and the rest at the end. */
static void test_streams_whole_characters(void)
{
    opened o = open_small("bytes");
    token_list list = { NULL, 0, 0 };
    token_decoder d = { { 0 }, 0, 0 };
    unsigned char out[TOKENIZER_TEXT_MAX];
    const char *text = "\xf0\x9f\x98\x80\xe4\xb8\xad";
    size_t n = 0;
    CHECK(tokenizer_encode(o.t, &list, text, 7, 0, &m) == 0);
    CHECK(list.n > 2);
    for (size_t i = 0; i < list.n; i++) {
        const size_t size = tokenizer_decode(o.t, &d, list.ids[i], 0, out);
        CHECK(size == 0 || (out[0] & 0xc0) != 0x80);
        CHECK_BYTES(text + n, out, size);
        n += size;
    }
    CHECK_EQUAL_SIZE(7, n);
    CHECK_EQUAL_SIZE(0, tokenizer_decode_end(&d, out));
    free(list.ids);
    close_small(&o);
}

static void test_around_and_plain(void)
{
    opened o = open_small("characters");
    token_list list = { NULL, 0, 0 };
    int special;
    size_t size;
    CHECK(tokenizer_encode(o.t, &list, "<s>", 3, TOKENIZER_AROUND, &m) == 0);
    CHECK(list.n == 2 && list.ids[0] == 1 && list.ids[1] == 1);
    list.n = 0;
    CHECK(tokenizer_encode(o.t, &list, "<s>", 3, TOKENIZER_PLAIN, &m) == 0);
    for (size_t i = 0; i < list.n; i++)
        CHECK(list.ids[i] != 1);
    CHECK_EQUAL_SIZE(1, tokenizer_before(o.t, NULL, 0));
    CHECK_BYTES("<s>", tokenizer_token(o.t, 1, &size, &special), 3);
    CHECK(size == 3 && special == 1);
    free(list.ids);
    close_small(&o);
}

/* Long pieces take the other way of merging: the same ids as many short ones, wherever that can be said. */
static void test_long_pieces(void)
{
    enum { SIZE = 300000 };
    opened o = open_small("bytes");
    token_list list = { NULL, 0, 0 };
    char *text = malloc(SIZE);
    unsigned char *back = malloc(2 * SIZE);
    static const char *const kinds[] = { "a", " ", "\n", "the", "=-", "7", "\xf0\x9f\x98\x80", "\xff", "e\xcc\xa1" };
    CHECK(text && back);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const size_t n = strlen(kinds[k]);
        for (size_t i = 0; i < SIZE; i++)
            text[i] = kinds[k][i % n];
        list.n = 0;
        CHECK(tokenizer_encode(o.t, &list, text, SIZE, 0, &m) == 0);
        CHECK_EQUAL_SIZE(SIZE, decode_all(o.t, &list, back));
        CHECK_BYTES(text, back, SIZE);
    }
    free(text);
    free(back);
    free(list.ids);
    close_small(&o);
}

/* ------------------------------------------------------------------------------------------------------------ composition */

static void test_composition(void)
{
    static const struct { const char *from, *to; } cases[] = {
        { "", "" }, { "abc", "abc" }, { "e\xcc\x81", "\xc3\xa9" }, { "\xc3\xa9", "\xc3\xa9" }, { "\xe2\x84\xab", "\xc3\x85" },
        { "a\xcc\x81\xcc\xa3", "\xe1\xba\xa1\xcc\x81" }, { "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xea\xb0\x81" },
        { "\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc" }, { "\xcc\x81\xcc\xa3x", "\xcc\xa3\xcc\x81x" },
        { "e\xff\xcc\x81", "e\xff\xcc\x81" },
        { "\xcd\x84", "\xcc\x88\xcc\x81" }, { "\xef\xa4\x80", "\xe8\xb1\x88" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer out = { NULL, 0, 0 };
        test_context("case %u", (unsigned)i);
        CHECK(nfc_append(&out, (const unsigned char *)cases[i].from, strlen(cases[i].from)) == 0);
        CHECK_EQUAL_SIZE(strlen(cases[i].to), out.size);
        if (out.size)
            CHECK_BYTES(cases[i].to, out.bytes, out.size);
        free(out.bytes);
    }
}

/* ---------------------------------------------------------------------------------------------------------------- hostile */

#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define MODEL(vocab, merges) "\"model\":{\"type\":\"BPE\",\"vocab\":" vocab ",\"merges\":" merges "}"

static void test_refused(void)
{
    static const struct { const char *json, *reason; } cases[] = {
        { "", "not JSON" }, { "[]", "not an object" }, { "{}", "model is missing" }, { "{\"x\":1}", "x is not a key" },
        { "{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", "model.type is not BPE" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", "model.vocab is empty" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":{}}}", "merges is not an array" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.1}}", "dropout" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"end_of_word_suffix\":\"</w>\"}}",
          "end_of_word_suffix" },
        { "{" MODEL("{\"a\":0,\"b\":0}", "[]") "}", "id 0 is given twice" },
        { "{" MODEL("{\"a\":0,\"a\":1}", "[]") "}", "token 1 is there twice" },
        { "{" MODEL("{\"a\":1048576}", "[]") "}", "an id that is not a number below" },
        { "{" MODEL("{\"a\":-1}", "[]") "}", "an id that is not a number below" },
        { "{" MODEL("{\"a\":0,\"b\":1}", "[\"a b\"]") "}", "not in the vocabulary" },
        { "{" MODEL("{\"a\":0,\"ab\":1}", "[\"a b\"]") "}", "not in the vocabulary" },
        { "{" MODEL("{\"a\":0,\"aa\":1}", "[\"a\"]") "}", "two parts" },
        { "{" MODEL("{\"a\":0,\"aa\":1}", "[\"a a a\"]") "}", "two parts" },
        { "{" MODEL("{\"a\":0,\"aa\":1}", "[[\"a\"]]") "}", "not two strings" },
        { "{" MODEL("{\"\":0,\"a\":1}", "[[\"\",\"a\"]]") "}", "an empty part" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"normalizer\":{\"type\":\"NFKC\"}}", "normalizer NFKC is not known" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"pre_tokenizer\":{\"type\":\"Whitespace\"}}",
          "pre_tokenizer Whitespace is not known" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"decoder\":{\"type\":\"WordPiece\"}}", "decoder WordPiece is not known" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"post_processor\":{\"type\":\"BertProcessing\"}}", "BertProcessing is not known" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},"
          "\"behavior\":\"Isolated\",\"invert\":false}}", "a pattern that is not known here" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Sequence\","
          "\"pretokenizers\":[]}]}}", "pre_tokenizer Sequence is not known" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"added_tokens\":[{\"id\":0,\"content\":\"b\",\"single_word\":true}]}",
          "single_word" },
        { "{" MODEL("{\"a\":0,\"b\":1}", "[]") ",\"added_tokens\":[{\"id\":0,\"content\":\"b\"}]}", "token 0 is token 1 of" },
        { "{" MODEL("{\"a\":0}", "[]") ",\"added_tokens\":[{\"id\":1,\"content\":\"\"}]}", "is empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char *bytes;
        size_t size;
        test_context("%s", cases[i].json);
        problem[0] = 0;
        CHECK(tokenizer_import(&bytes, &size, cases[i].json, strlen(cases[i].json), &m) == -1);
        CHECK(bytes == NULL);
        test_context("%s: %s", cases[i].json, problem);
        CHECK(strstr(problem, cases[i].reason) != NULL);
    }
}

/* Merges that the order of ids does not give: into earlier tokens, given twice, two ways to one token. */
static void test_unusual_merges(void)
{
    static const struct { const char *json, *text; int32_t ids[8]; size_t n; } cases[] = {
        { "{" MODEL("{\"a\":0,\"b\":1,\"abc\":2,\"ab\":3,\"bc\":4,\"c\":5}", "[\"a b\",\"b c\",\"a bc\",\"ab c\"]") "}",
          "abc", { 2 }, 1 },
        { "{" MODEL("{\"a\":0,\"b\":1,\"ab\":2,\"ba\":3}", "[\"b a\",\"a b\"]") "}", "abab", { 0, 3, 1 }, 3 },
        { "{" MODEL("{\"a\":0,\"b\":1,\"ab\":2,\"ba\":3}", "[\"b a\",\"a b\",\"b a\"]") "}", "abab", { 2, 2 }, 2 },
        { "{" MODEL("{\"a\":0,\"aa\":1,\"aaa\":2}", "[\"a a\",\"aa a\"]") "}", "aaaaa", { 1, 2 }, 2 },
        { "{" MODEL("{\"a\":0,\"b\":9}", "[]") "}", "a?b", { 0, 9 }, 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        token_list list = { NULL, 0, 0 };
        unsigned char *bytes;
        tokenizer *t;
        size_t size;
        test_context("%s: %s", cases[i].json, problem);
        CHECK(tokenizer_import(&bytes, &size, cases[i].json, strlen(cases[i].json), &m) == 0);
        CHECK((t = tokenizer_open(bytes, size, &m)) != NULL);
        CHECK(tokenizer_encode(t, &list, cases[i].text, strlen(cases[i].text), 0, &m) == 0);
        CHECK_EQUAL_SIZE(cases[i].n, list.n);
        CHECK(memcmp(list.ids, cases[i].ids, list.n * sizeof *list.ids) == 0);
        tokenizer_close(t);
        free(bytes);
        free(list.ids);
    }
}

/* A file that ends early is no JSON, wherever that is. */
static void test_cut_files(void)
{
    opened o = open_small("bytes");
    for (size_t size = 0; size + 1 < o.json_size; size += 97) {
        char *cut = malloc(size ? size : 1);
        unsigned char *bytes;
        size_t table_size;
        CHECK(cut != NULL);
        memcpy(cut, o.json, size);
        CHECK(tokenizer_import(&bytes, &table_size, cut, size, &m) == -1);
        free(cut);
    }
    for (size_t size = 0; size < o.size; size += 31) {
        unsigned char *cut = malloc(size ? size : 1);
        CHECK(cut != NULL);
        memcpy(cut, o.bytes, size);
        CHECK(tokenizer_open(cut, size, &m) == NULL);
        free(cut);
    }
    close_small(&o);
}

/* A table with other bytes in it is refused, or gives ids and texts that mean nothing; it never leads outside. */
static void test_damaged_tables(void)
{
    static const char text[] = "the model's  state, \xe4\xb8\xad\xf0\x9f\x98\x80 12345 <|end|> </s>\xff    streams of the "
                               "recurrence";
    static const char *const names[] = { "bytes", "characters" };
    random_source random = { 43 };
    int n_opened = 0;
    for (int k = 0; k < 6000; k++) {
        static opened small[2];
        token_list list = { NULL, 0, 0 };
        unsigned char *bytes, part[TOKENIZER_TEXT_MAX];
        token_decoder d = { { 0 }, 0, 0 };
        tokenizer *t;
        opened *o = &small[k % 2];
        if (k < 2)
            *o = open_small(names[k]);
        bytes = malloc(o->size);
        CHECK(bytes != NULL);
        memcpy(bytes, o->bytes, o->size);
        for (uint32_t i = 1 + random_below(&random, 3); i > 0; i--)
            bytes[random_below(&random, k % 4 < 2 ? 168 : (uint32_t)o->size)] = (unsigned char)random_u64(&random);
        t = tokenizer_open(bytes, o->size, &m);
        if (t) {
            n_opened++;
            CHECK(tokenizer_encode(t, &list, text, sizeof text - 1, k % 3 ? TOKENIZER_AROUND : 0, &m) == 0);
            for (size_t i = 0; i < list.n; i++) {
                CHECK(list.ids[i] >= 0 && (size_t)list.ids[i] < tokenizer_size(t));
                tokenizer_decode(t, &d, list.ids[i], 1, part);
            }
        }
        tokenizer_close(t);
        free(list.ids);
        free(bytes);
        if (k >= 5998)
            close_small(o);
    }
    CHECK(n_opened > 500 && n_opened < 5500);
}

static const test tests[] = {
    TEST(test_expected_bytes), TEST(test_expected_characters), TEST(test_round_trips), TEST(test_streams_whole_characters),
    TEST(test_around_and_plain), TEST(test_long_pieces), TEST(test_composition), TEST(test_refused), TEST(test_unusual_merges),
    TEST(test_cut_files), TEST(test_damaged_tables),
};
const test_suite suite_tokenizer = TEST_SUITE("tokenizer", tests);
