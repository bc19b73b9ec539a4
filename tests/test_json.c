/* test_json.c - what is JSON and what is not, what a safetensors header may say, Hugging Face's configurations */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/json.h"
#include "checkpoints.h"
#include "suites.h"

/* A byte of 0x01 stands for a zero byte, so that the tables can be strings. */
static const char *problem_of(const char *text, char *copy, size_t *size)
{
    json value;
    size_t at;
    const char *problem;
    *size = strlen(text);
    memcpy(copy, text, *size);
    for (size_t i = 0; i < *size; i++)
        if (copy[i] == 1)
            copy[i] = 0;
    problem = json_check(&value, copy, *size, &at);
    CHECK(at <= *size);
    return problem;
}

static void test_json_accepts(void)
{
    static const char *const texts[] = {
        "0", "-0", "12", "-1.5e+10", "1E5", "0.0", "true", "false", "null", "\"\"", "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", "[]",
        "{}", " [ 1 , [ ] , { } ] ", "{\"a\":{\"b\":[{}]}}", "\"\\ud83d\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\xf4\x8f\xbf\xbf\"", "\n\t\r {\"\":null}\n"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char copy[100];
        size_t size;
        test_context("%s", texts[i]);
        CHECK(problem_of(texts[i], copy, &size) == NULL);
    }
}

static void test_json_refuses(void)
{
    static const char *const texts[] = {
        "", " ", "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "-Infinity", "tru", "nulll", "True", "'a'",
        "\"", "\"a", "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u123g\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"",
        "\"\\ude00\"", "\"\n\"", "\"\x01\"", "\"\x1f\"", "\"\\\x01\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "1 2", "{}{}", "[]\x01", "// x",
        "\"\x80\"", "\"\xc0\xaf\"", "\"\xc3\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "\xef\xbb\xbf{}"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char copy[100];
        size_t size;
        test_context("%s", texts[i]);
        CHECK(problem_of(texts[i], copy, &size) != NULL);
    }
}

static void test_json_depth(void)
{
    char text[2 * JSON_DEPTH + 3];
    for (int depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
        json value;
        size_t at;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        CHECK((json_check(&value, text, 2 * (size_t)depth, &at) == NULL) == (depth == JSON_DEPTH));
    }
}

static void test_json_values(void)
{
    static const char text[] = "{\"\\u0061\\u0000b\": 18446744073709551615, \"x\": [18446744073709551616, 1e400, 0.1, \"\\u20ac\"]}";
    json all, key, value, item;
    size_t at;
    uint64_t integer;
    double real;
    char string[8];
    json_walk walk, inner;
    CHECK(json_check(&all, text, strlen(text), &at) == NULL);
    walk = json_begin(all);
    CHECK(json_next(&walk, &key, &value));
    CHECK_EQUAL_SIZE(3, json_string(key, string, sizeof string));
    CHECK_BYTES("a\0b", string, 4);
    CHECK(!json_equals(key, "a") && !json_equals(key, "a\xff"));
    CHECK(json_unsigned(value, &integer) && integer == UINT64_MAX);
    CHECK(json_next(&walk, &key, &value) && json_equals(key, "x") && !json_equals(key, "xy") && !json_equals(key, ""));
    inner = json_begin(value);
    CHECK(json_next(&inner, NULL, &item) && !json_unsigned(item, &integer));
    CHECK(json_next(&inner, NULL, &item) && !json_double(item, &real));
    CHECK(json_next(&inner, NULL, &item) && json_double(item, &real) && !json_unsigned(item, &integer));
    CHECK_NEAR(0.1, real, 0);
    CHECK(json_next(&inner, NULL, &item));
    CHECK_EQUAL_SIZE(SIZE_MAX, json_string(item, string, 3));
    CHECK_EQUAL_SIZE(3, json_string(item, string, 4));
    CHECK_STRING("\xe2\x82\xac", string);
    CHECK(!json_next(&inner, NULL, &item) && !json_next(&walk, &key, &value));
}

/* ----------------------------------------------------------------------------------------------------- safetensors headers */

#define T(name, shape, offsets) "\"" name "\": {\"dtype\": \"F32\", \"shape\": " shape ", \"data_offsets\": " offsets "}"

static void test_headers(void)
{
    static const struct { const char *header; size_t data; const char *error; } cases[] = {
        { "", 0, "the header is not JSON" },
        { "[]", 0, "the header is not an object" },
        { "{} x", 0, "after the end" },
        { "{" T("a", "[2]", "[0, 8]") "}", 8, "no configuration" },
        { "{" T("a", "[]", "[0, 4]") "}", 4, "no configuration" },
        { "{" T("a", "[0, 9223372036854775807]", "[0, 0]") "}", 0, "no configuration" },
        { "{" T("a", "[2]", "[0, 8]") "}", 9, "1 bytes after the last tensor" },
        { "{" T("a", "[2]", "[0, 8]") "}", 7, "outside the file" },
        { "{" T("a", "[2]", "[0, 7]") "}", 7, "7 bytes of data, but its dtype and shape need 8" },
        { "{" T("a", "[2]", "[8, 0]") "}", 8, "outside the file" },
        { "{" T("a", "[2]", "[4, 12]") "}", 12, "after a gap" },
        { "{" T("a", "[2]", "[0, 8]") ", " T("b", "[2]", "[4, 12]") "}", 12, "overlap" },
        { "{" T("a", "[2]", "[0, 8]") ", " T("b", "[2]", "[0, 8]") "}", 8, "overlap" },
        { "{" T("a", "[2]", "[0, 8]") ", " T("a", "[2]", "[8, 16]") "}", 16, "given twice" },
        { "{" T("a", "[4294967296, 4294967296]", "[0, 0]") "}", 0, "the shape is too large" },
        { "{" T("a", "[4611686018427387904]", "[0, 0]") "}", 0, "the shape is too large" },
        { "{" T("a", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "[0, 4]") "}", 4, "not a list of at most 8" },
        { "{" T("a", "[-1]", "[0, 4]") "}", 4, "not a list" },
        { "{" T("a", "1", "[0, 4]") "}", 4, "not a list" },
        { "{" T("a", "[1]", "[0]") "}", 4, "not two offsets" },
        { "{" T("a", "[1]", "[0, 4, 8]") "}", 4, "not two offsets" },
        { "{" T("a", "[1]", "[0, 18446744073709551615]") "}", 4, "outside the file" },
        { "{" T("a", "[1]", "[0, 18446744073709551616]") "}", 4, "not two offsets" },
        { "{" T("\\u0000", "[1]", "[0, 4]") "}", 4, "zero byte" },
        { "{" T("a\\n\\u001b[2J", "[2]", "[0, 4]") "}", 4, "tensor a??[2J: 4 bytes" },
        { "{\"a\": 1}", 0, "not described by an object" },
        { "{\"a\": {\"dtype\": \"F32\", \"shape\": [1]}}", 4, "are missing" },
        { "{\"a\": {\"dtype\": \"F33\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "dtype that is not known" },
        { "{\"a\": {\"dtype\": 1, \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "dtype that is not known" },
        { "{\"a\": {\"dtype\": \"F32\", \"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "a key is given twice" },
        { "{\"a\": {\"dtype\": \"F32\", \"more\": 0, \"shape\": [1], \"data_offsets\": [0, 4]}}", 4, "a key besides" },
        { "{\"__metadata__\": 1}", 0, "__metadata__ is not an object" },
        { "{\"__metadata__\": {\"a\": 1}}", 0, "something other than strings" },
        { "{\"__metadata__\": {\"a\": \"\\u0000\"}}", 0, "zero byte" },
        { "{\"__metadata__\": {\"a\": \"\", \"a\": \"\"}}", 0, "a is given twice" },
        { "{\"__metadata__\": {}, \"__metadata__\": {}}", 0, "__metadata__ is given twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        checkpoint_file file = checkpoint_from(cases[i].header, cases[i].data);
        test_context("%s", cases[i].header);
        check_refused(&file, cases[i].error);
        checkpoint_release(&file);
    }
}

static void test_header_length(void)
{
    static const uint64_t lengths[] = { 3, 100000000, 100000001, UINT64_C(1) << 32, UINT64_MAX - 7, UINT64_MAX };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        checkpoint_file file = checkpoint_from("{}", 0);
        for (int k = 0; k < 8; k++)
            file.bytes[k] = (unsigned char)(lengths[i] >> (8 * k));
        test_context("a header of %llu bytes", (unsigned long long)lengths[i]);
        check_refused(&file, "not a safetensors file");
        checkpoint_release(&file);
    }
}

/* ------------------------------------------------------------------------------------------------ Hugging Face's config.json */

#define HF(more) "{\"model_type\": \"mamba\", \"hidden_size\": 4, \"state_size\": 2, \"num_hidden_layers\": 1, \"vocab_size\": 3" more "}"

static void test_hugging_face(void)
{
    static const struct { const char *config, *error; } cases[] = {
        { "", "config.json is not JSON" },
        { "[]", "config.json: it is not a JSON object" },
        { "{}", "config.json: model_type is missing" },
        { "{\"model_type\": \"mamba2\"}", "tensor backbone.embeddings.weight is missing" },
        { "{\"model_type\": \"falcon_mamba\"}", "model_type is \"falcon_mamba\"" },
        { "{\"model_type\": \"mamba\"}", "hidden_size is missing" },
        { HF(", \"architectures\": [\"MambaModel\"]"), "architectures is \"MambaModel\"" },
        { HF(", \"hidden_act\": \"gelu\""), "hidden_act is \"gelu\"" },
        { HF(", \"hidden_size\": 4"), "hidden_size is given twice" },
        { HF(", \"quantization_config\": {}"), "quantized weights" },
        { HF(", \"time_step_rank\": \"some\""), "time_step_rank is neither" },
        { HF(", \"time_step_rank\": 0"), "time_step_rank is neither" },
        { HF(", \"expand\": 1e9"), "expand times hidden_size" },
        { HF(", \"expand\": 0"), "expand times hidden_size" },
        { HF(", \"intermediate_size\": 0"), "intermediate_size is not an integer" },
        { HF(", \"use_bias\": 1"), "use_bias is neither true nor false" },
        { HF(", \"layer_norm_epsilon\": \"x\""), "layer_norm_epsilon is not" },
        { HF(", \"conv_kernel\": 65"), "conv_kernel is not an integer" },
        { HF(""), "tensor backbone.embeddings.weight is missing" },
    };
    checkpoint_file file = checkpoint_from("{}", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_context("%s", cases[i].config);
        check_refused_hf(cases[i].config, &file, cases[i].error);
    }
    checkpoint_release(&file);
}

static const test tests[] = {
    TEST(test_json_accepts), TEST(test_json_refuses), TEST(test_json_depth), TEST(test_json_values), TEST(test_headers),
    TEST(test_header_length), TEST(test_hugging_face),
};

const test_suite suite_json = TEST_SUITE("json", tests);
