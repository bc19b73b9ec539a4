/* test_score.c - scores of files, and the map of surprise */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/text/byte_model.h"
#include "../examples/cli/text/score.h"
#include "bytes.h"
#include "suites.h"

/* ---------------------------------------------------------------------------------------------------------------- score */

/* Step by step and in float64: the bits of text, from the beginning again every piece bytes. */
static double expected_bits(const b2s6_model *model, const unsigned char *text, size_t n, size_t piece)
{
    float row[BYTE_VALUES];
    double bits = 0;
    b2s6_state *state;
    CHECK_OK(b2s6_state_create(&state, model, NULL));
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        if (i % piece == 0)
            CHECK_OK(b2s6_state_reset(state));
        CHECK_OK(b2s6_step_token(state, i % piece == 0 ? '\n' : text[i - 1], row, 256));
        for (int k = 0; k < BYTE_VALUES; k++)
            sum += exp((double)row[k]);
        bits += log2(sum) - row[text[i]] / log(2);
    }
    b2s6_state_destroy(state);
    return bits;
}

static void check_score(const b2s6_model *model, const unsigned char *text, size_t n, size_t piece, size_t run)
{
    score s;
    FILE *file = file_of(text, n);
    test_context("%zu bytes in pieces of %zu, runs of %zu", n, piece, run);
    s = scored(model, file, piece, run, NULL);
    CHECK_EQUAL_U64(n, s.n_bytes);
    CHECK_EQUAL_U64(n, s.n_tokens);
    CHECK_NEAR(expected_bits(model, text, n, piece ? piece : n + 1), s.bits, 1e-4 * (double)n);
    fclose(file);
}

static void test_scores(void)
{
    static const size_t pieces[] = { 0, 1, 2, 100, 299, 300, 301 }, runs[] = { 1, 3, 100, 256 };
    opened_model opened;
    blob text;
    open_byte_model(&opened, 5);
    text = drawn_from(opened.model, 300, 5);
    check_score(opened.model, text.bytes, 0, 0, 16);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        for (size_t k = 0; k < sizeof runs / sizeof runs[0]; k++)
            check_score(opened.model, text.bytes, text.size, pieces[i], runs[k]);
    free(text.bytes);
    close_model(&opened);
}

static void test_unreadable(void)
{
    opened_model opened;
    text_model text;
    score s;
    char line[200] = "";
    message m = { line, sizeof line };
    const score_job job = { &text, NULL, 10, 0, 0, NULL, NULL };
    FILE *folder = fopen(tests_folder, "rb");
    open_byte_model(&opened, 5);
    CHECK(folder != NULL);
    CHECK_EQUAL_INT(0, text_model_take(&text, opened.model, &m));
    CHECK_EQUAL_INT(-1, score_file(&s, &job, folder, &m));
    CHECK(line[0] != 0);
    text_model_leave(&text);
    fclose(folder);
    close_model(&opened);
}

/* ------------------------------------------------------------------------------------------------------------------ map */

/* Every byte of text with `bits` of surprise; the map without its legend must be as expected. */
static void check_map(const char *text, size_t n, double bits, int color, const char *expected)
{
    surprise_map map;
    FILE *file = tmpfile();
    blob b;
    char *legend;
    CHECK(file != NULL);
    map_begin(&map, file, color, 0);
    for (size_t i = 0; i < n; i++)
        map_byte(&map, (unsigned char)text[i], bits);
    map_end(&map);
    b = contents_of(file);
    b.bytes[b.size] = 0;
    legend = strstr((char *)b.bytes, color ? "\nbits of" : "\nBelow each");
    CHECK(legend != NULL);
    *legend = 0;
    CHECK_STRING(expected, (char *)b.bytes);
    fclose(file);
    free(b.bytes);
}

#define MAP(text, bits, color, expected) check_map(text, sizeof(text) - 1, bits, color, expected)

static void test_map_digits(void)
{
    MAP("", 1, 0, "");
    MAP("abc", 0.9, 0, "abc\n\n");
    MAP("abc", 1, 0, "abc\n111\n");
    MAP("abc\n", 9.99, 0, "abc\n9999\n");
    MAP("a\n\nb", 10, 0, "a\n##\n\n#\nb\n#\n");
    MAP("\tx", 3, 0, "        x\n3       3\n");
    MAP("ab\tx", 3, 0, "ab      x\n333     3\n");
    MAP("abcdefg\tx", 3, 0, "abcdefg x\n333333333\n");
    MAP("\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82.", 2, 0, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82.\n4682\n");
}

/* Nothing reaches the terminal but whole characters. */
static void test_map_hostile(void)
{
    MAP("\033[1m", 2, 0, "\\x1B[1m\n2   222\n");
    MAP("\xff\x80", 2, 0, "\\xFF\\x80\n2   2\n");
    MAP("\xe2\x82", 2, 0, "\\xE2\\x82\n4\n");
    MAP("\xe2\x82""a", 2, 0, "\\xE2\\x82a\n4       2\n");
    MAP("\xc3\xc3\xa9", 2, 0, "\\xC3\xc3\xa9\n2   4\n");
    MAP("\xc2\x9b", 2, 0, "\\xC2\\x9B\n2   2\n");
    MAP("\xc0\xaf\xe0\x80\xaf", 2, 0, "\\xC0\\xAF\\xE0\\x80\\xAF\n2   2   2   2   2\n");
    MAP("\xed\xa0\x80\xf4\x90", 2, 0, "\\xED\\xA0\\x80\\xF4\\x90\n2   2   2   2   2\n");
    MAP("\x7f\r", 2, 1, "\033[38;5;226m\\x7F\\x0D\033[0m");
}

static void test_map_colors(void)
{
    MAP("ab", 0.1, 1, "\033[38;5;243mab\033[0m");
    MAP("a\nb", 5, 1, "\033[38;5;214ma\033[0m\n\033[38;5;214mb\033[0m");
    MAP("\xc3\xa9", 6, 1, "\033[38;5;197m\xc3\xa9\033[0m");
}

/* A line of any length is broken, not remembered. */
static void test_map_long_line(void)
{
    char text[3 * MAP_COLUMNS], expected[1000] = "";
    memset(text, 'a', sizeof text);
    for (int k = 0; k < 2; k++) {
        memset(expected + strlen(expected), 'a', MAP_COLUMNS);
        strcat(expected, "\n");
        memset(expected + strlen(expected), '1', MAP_COLUMNS);
        strcat(expected, "\n");
    }
    strcat(expected, "a\n1\n");
    check_map(text, 2 * MAP_COLUMNS + 1, 1.5, 0, expected);
}

static const test tests[] = {
    TEST(test_scores), TEST(test_unreadable), TEST(test_map_digits), TEST(test_map_hostile), TEST(test_map_colors),
    TEST(test_map_long_line),
};
const test_suite suite_score = TEST_SUITE("score", tests);
