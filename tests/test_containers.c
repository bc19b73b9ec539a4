/*
 * test_containers.c - folders of checkpoints: every container gives the same model, and what is damaged, contradictory or hostile
 * is refused or harmless
 *
 * tests/containers is made by tests/tools/make_containers.py, but for mamba1-ss and original-options: these two come with their
 * outputs in float64, from a program that shares nothing with this one.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../examples/cli/convert/convert.h"
#include "../examples/cli/convert/weight_index.h"
#include "attempt.h"
#include "files.h"
#include "reference.h"
#include "subjects.h"
#include "suites.h"

static const convert_options plainly = { "f32", NULL, NULL, 0 };

static unsigned char *convert_folder_named(const char *name, size_t *size)
{
    unsigned char *bytes = NULL;
    char path[1024], error[300] = "";
    snprintf(path, sizeof path, "%s/containers/%s", tests_folder, name);
    if (convert_checkpoint(path, &plainly, &bytes, size, error, sizeof error) != 0)
        FAIL(error);
    return bytes;
}

/* names (n): each gives the model that the first gives. */
static void check_alike(const char *const *names, size_t n)
{
    size_t size = 0, other_size;
    unsigned char *bytes = NULL;
    for (size_t i = 0; i < n; i++) {
        char path[100];
        unsigned char *other;
        test_context("%s", names[i]);
        snprintf(path, sizeof path, "%s/model", names[i]);
        other = convert_folder_named(path, &other_size);
        if (!bytes) {
            bytes = other;
            size = other_size;
            continue;
        }
        CHECK_EQUAL_SIZE(size, other_size);
        CHECK_BYTES(bytes, other, size);
        free(other);
    }
    free(bytes);
}

static void test_all_alike(void)
{
    static const char *const mamba1[] = { "safetensors", "mixed", "hugging-face", "shards", "bin", "bin-tied", "bin-strides",
                                          "bin-shards" };
    static const char *const mamba2[] = { "mamba2-safetensors", "mamba2-bin", "mamba2-shards", "mamba2-bin-shards" };
    check_alike(mamba1, sizeof mamba1 / sizeof mamba1[0]);
    check_alike(mamba2, sizeof mamba2 / sizeof mamba2[0]);
}

/* An original Mamba-1 folder against its float64 outputs. */
static void check_original(const char *name, size_t vocabulary)
{
    char folder[1024];
    opened_model opened;
    model_input input;
    npy in, expected;
    size_t size;
    unsigned char *bytes = convert_folder_named(name, &size);
    float *out;
    double error;
    snprintf(folder, sizeof folder, "%s/containers/%s", tests_folder, name);
    CHECK(read_npy(&in, folder, "inputs.npy") && read_npy(&expected, folder, "outputs.npy"));
    memset(&input, 0, sizeof input);
    input.n_steps = in.rows;
    input.tokens = (int32_t *)in.values;
    open_bytes(&opened, bytes, size);
    CHECK_EQUAL_SIZE(vocabulary, opened.info.output_size);
    out = (float *)calloc(expected.rows * expected.cols, sizeof *out);
    run_whole(&opened, &input, 0, out);
    error = relative_error((double *)expected.values, out, expected.rows * expected.cols);
    test_note("%s: max|y - y*| / max|y*| %.1e", name, error);
    CHECK_NEAR(0, error, 1e-5);
    free(out);
    free(in.values);
    free(expected.values);
    free(bytes);
    close_model(&opened);
}

/*
 * As it is published; and with every option otherwise, in two files of every type of weights: LayerNorm, biases, no bias of the
 * convolution, a head of its own, a width that is no whole multiple.
 */
static void test_original(void)
{
    check_original("mamba1-ss", 40);
    check_original("original-options", 48);
}

/* ---------------------------------------------------------------------------------------------------------------- damage */

/* The two files of a small folder. */
typedef struct folder_files {
    char *config;
    unsigned char *weights;
    size_t config_size, weights_size;
} folder_files;

static folder_files read_folder(const char *name, const char *weights)
{
    folder_files f;
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/containers/%s/model", tests_folder, name);
    f.config = (char *)read_file(folder, "config.json", &f.config_size);
    f.weights = read_file(folder, weights, &f.weights_size);
    CHECK(f.config != NULL && f.weights != NULL);
    return f;
}

static void release_folder(folder_files *f)
{
    free(f->config);
    free(f->weights);
}

/* Converts them, weights in memory of exactly their size. What is made must be a model; else there is one line and nothing more. */
static int try_folder(const char *config, size_t config_size, const unsigned char *weights, size_t size, char *error, size_t error_size)
{
    unsigned char *bytes = NULL, *copy = (unsigned char *)malloc(size + (size == 0));
    size_t n_bytes = 77;
    int status;
    b2s6_error opening;
    CHECK(copy != NULL);
    memcpy(copy, weights, size);
    *error = 0;
    status = convert_folder_memory(config, config_size, copy, size, "x", &plainly, &bytes, &n_bytes, error, error_size);
    free(copy);
    if (status == 0) {
        CHECK_STATUS(B2S6_OK, attempt_use(bytes, n_bytes, B2S6_OPEN_VERIFY, &opening));
        free(bytes);
        return 0;
    }
    CHECK_EQUAL_INT(-1, status);
    CHECK(bytes == NULL && n_bytes == 77 && *error && !strchr(error, '\n'));
    return -1;
}

static void test_truncated(void)
{
    folder_files f = read_folder("bin", "pytorch_model.bin");
    char error[300];
    CHECK_EQUAL_INT(0, try_folder(f.config, f.config_size, f.weights, f.weights_size, error, sizeof error));
    for (size_t size = 0; size < f.weights_size; size++) {
        test_context("%zu of %zu bytes", size, f.weights_size);
        CHECK_EQUAL_INT(-1, try_folder(f.config, f.config_size, f.weights, size, error, sizeof error));
    }
    for (size_t size = 0; size < f.config_size; size++) {
        test_context("config.json: %zu of %zu bytes", size, f.config_size);
        CHECK_EQUAL_INT(-1, try_folder(f.config, size, f.weights, f.weights_size, error, sizeof error));
    }
    release_folder(&f);
}

/* Every bit of a checkpoint turned over, alone: refused, or a model all the same. */
static void test_flipped_bits(void)
{
    static const char *const folders[] = { "bin", "bin-tied" };
    size_t refused = 0, all = 0;
    for (size_t k = 0; k < 2; k++) {
        folder_files f = read_folder(folders[k], "pytorch_model.bin");
        char error[300];
        for (size_t bit = 0; bit < 8 * f.weights_size; bit++, all++) {
            test_context("%s: bit %zu of byte %zu", folders[k], bit % 8, bit / 8);
            f.weights[bit / 8] ^= (unsigned char)(1u << bit % 8);
            refused += try_folder(f.config, f.config_size, f.weights, f.weights_size, error, sizeof error) != 0;
            f.weights[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * f.config_size; bit++) {
            test_context("config.json: bit %zu of byte %zu", bit % 8, bit / 8);
            f.config[bit / 8] ^= (char)(1u << bit % 8);
            try_folder(f.config, f.config_size, f.weights, f.weights_size, error, sizeof error);
            f.config[bit / 8] ^= (char)(1u << bit % 8);
        }
        release_folder(&f);
    }
    test_note("%zu bits turned over, %zu refused, the others harmless", all, refused);
}

/* -------------------------------------------------------------------------------------------------------- configurations */

/* The folder "bin" with `from` in its config.json replaced: refused with this text, or converted if that is NULL. */
static void test_configurations(void)
{
    static const struct { const char *from, *to, *error; } edits[] = {
        { "\"d_model\": 4,", "", "config.json: d_model is missing" },
        { "\"n_layer\": 1,", "", "config.json: n_layer is missing" },
        { "\"vocab_size\": 5,", "", "config.json: vocab_size is missing" },
        { "\"d_model\": 4", "\"d_model\": 4, \"d_model\": 4", "config.json: d_model is given twice" },
        { "\"d_model\": 4", "\"d_model\": 0", "config.json: d_model is not an integer from 1 to 65536" },
        { "\"d_model\": 4", "\"d_model\": 1e9", "config.json: d_model is not an integer" },
        { "\"d_model\": 4", "\"d_model\": 8", "tensor backbone.embedding.weight: the shape is (8, 4), the configuration needs (8, 8)" },
        { "\"n_layer\": 1", "\"n_layer\": 2", "tensor backbone.layers.1.norm.weight is missing" },
        { "\"n_layer\": 1", "\"n_layer\": 4097", "config.json: n_layer is not an integer" },
        { "\"vocab_size\": 5", "\"vocab_size\": 9", "the configuration needs (16, 4)" },
        { "\"vocab_size\": 5", "\"vocab_size\": 8", NULL },
        { "\"vocab_size\": 5", "\"vocab_size\": 16777217", "config.json: vocab_size is not an integer" },
        { "\"pad_vocab_size_multiple\": 8", "\"pad_vocab_size_multiple\": 0", "config.json: pad_vocab_size_multiple is not" },
        { "\"pad_vocab_size_multiple\": 8", "\"pad_vocab_size_multiple\": 65536", "the configuration needs (65536, 4)" },
        { "\"pad_vocab_size_multiple\": 8", "\"pad_vocab_size_multiple\": 4", NULL },
        { "\"rms_norm\": true", "\"rms_norm\": false", "tensor backbone.norm_f.bias is missing" },
        { "\"rms_norm\": true", "\"rms_norm\": 1", "config.json: rms_norm is neither true nor false" },
        { "\"rms_norm\"", "\"rmsnorm\"", "config.json: rmsnorm is not a key that is known" },
        { "\"rms_norm\": true", "\"tie_embeddings\": false", "tensor lm_head.weight is missing" },
        { "\"rms_norm\": true", "\"d_intermediate\": 128", "config.json: d_intermediate is 128: Mamba-1 layers with an MLP" },
        { "\"rms_norm\": true", "\"attn_layer_idx\": [3], \"attn_cfg\": {\"causal\": true}", "config.json: attn_layer_idx is not empty: attention" },
        { "\"rms_norm\": true", "\"attn_layer_idx\": 3", "attention" },
        { "\"rms_norm\": true", "\"attn_layer_idx\": [], \"attn_cfg\": {}, \"d_intermediate\": 0, \"tie_embeddings\": true", NULL },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": [], \"x\": {", "config.json: x is not a key that is known" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"layer\": \"Mamba1\", \"use_fast_path\": true, \"dt_min\": 0.001,", NULL },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"layer\": \"Mamba3\",", "config.json: ssm_cfg.layer is \"Mamba3\"" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"layer\": \"Transformer\",", "config.json: ssm_cfg.layer is \"Transformer\", not one of" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"layer\": 1,", "config.json: ssm_cfg.layer is 1, not one of" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"headdim\": 64,", "config.json: ssm_cfg.headdim is not a key that is known" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"dt_rank\": \"auto\",", NULL },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"dt_rank\": 1,", NULL },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"dt_rank\": 0,", "config.json: ssm_cfg.dt_rank is neither" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"dt_rank\": \"1\",", "config.json: ssm_cfg.dt_rank is neither" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"dt_rank\": 2,", "x_proj.weight: the shape is (5, 4), the configuration needs (6, 4)" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"bias\": true,", "tensor backbone.layers.0.mixer.in_proj.bias is missing" },
        { "\"ssm_cfg\": {", "\"ssm_cfg\": {\"conv_bias\": false,", "tensor backbone.layers.0.mixer.conv1d.bias: the configuration has no use for it" },
        { "\"d_state\": 2", "\"d_state\": 4097", "config.json: ssm_cfg.d_state is not an integer" },
        { "\"expand\": 1", "\"expand\": 0", "config.json: ssm_cfg.expand times d_model is not from 1 to 65536" },
        { "\"expand\": 1", "\"expand\": -1", "config.json: ssm_cfg.expand is not a finite number >= 0" },
        { "\"expand\": 1", "\"expand\": 2", "the shape is (8, 4), the configuration needs (16, 4)" },
        { "\"n_layer\"", "\"model_type\": \"llama\", \"n_layer\"", "config.json: model_type is \"llama\"" },
    };
    folder_files f = read_folder("bin", "pytorch_model.bin");
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char text[2000], error[300];
        const char *place;
        f.config = (char *)realloc(f.config, f.config_size + 1);
        CHECK(f.config != NULL);
        f.config[f.config_size] = 0;
        place = strstr(f.config, edits[i].from);
        test_context("'%s' becomes '%s'", edits[i].from, edits[i].to);
        CHECK(place != NULL);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(place - f.config), f.config, edits[i].to, place + strlen(edits[i].from));
        CHECK_EQUAL_INT(edits[i].error ? -1 : 0, try_folder(text, strlen(text), f.weights, f.weights_size, error, sizeof error));
        if (edits[i].error && !strstr(error, edits[i].error))
            CHECK_STRING(edits[i].error, error);
    }
    release_folder(&f);
}

/* ---------------------------------------------------------------------------------------------------------------- indices */

static void test_index(void)
{
    static const struct { const char *text, *error; } cases[] = {
        { "{\"weight_map\": {\"a\": \"x.bin\"}}", NULL },
        { "{\"metadata\": {\"total_size\": 8}, \"weight_map\": {\"b\": \"y\", \"a\": \"x\", \"c\": \"x\"}}", NULL },
        { "", "not JSON" },
        { "[]", "not a JSON object" },
        { "{}", "weight_map is missing" },
        { "{\"weight_map\": []}", "weight_map is not an object" },
        { "{\"weight_map\": {}}", "weight_map is empty" },
        { "{\"weight_map\": {\"a\": \"x\"}, \"weight_map\": {\"a\": \"x\"}}", "weight_map is given twice" },
        { "{\"weight_map\": {\"a\": \"x\", \"a\": \"x\"}}", "tensor a is given twice" },
        { "{\"weight_map\": {\"a\": \"../x\"}}", "its file ../x is not a plain name" },
        { "{\"weight_map\": {\"a\": \"/etc/passwd\"}}", "its file /etc/passwd is not a plain name" },
        { "{\"weight_map\": {\"a\": \"b/x\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": \"b\\\\x\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": \"..\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": \".\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": \"\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": \"x\\u0000\"}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\": 1}}", "is not a plain name" },
        { "{\"weight_map\": {\"a\\u0000\": \"x\"}}", "name holds a zero byte" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[300] = "";
        message m = { error, sizeof error };
        weight_index index;
        int status = weight_index_read(&index, cases[i].text, strlen(cases[i].text), &m);
        test_context("%s", cases[i].text);
        CHECK_EQUAL_INT(cases[i].error ? -1 : 0, status);
        if (cases[i].error && !strstr(error, cases[i].error))
            CHECK_STRING(cases[i].error, error);
        if (i == 1) {
            CHECK_EQUAL_SIZE(3, index.n_places);
            CHECK_EQUAL_SIZE(2, index.n_files);
            CHECK_STRING("x", index.files[0]);
            CHECK_STRING("y", index.files[1]);
            CHECK_STRING("y", index.places[1].file);
        }
        if (status == 0)
            weight_index_close(&index);
    }
}

/* ----------------------------------------------------------------------------------------------------------------- memory */

enum { WIDTH = 1024, TOKENS = 32768, MEGABYTE = 1 << 20 };

static int any_size(void *context, uint64_t size, message *m)
{
    (void)m;
    *(uint64_t *)context = size;
    return 0;
}

static int drop(void *context, uint64_t offset, const unsigned char *bytes, size_t n, message *m)
{
    (void)context, (void)offset, (void)bytes, (void)n, (void)m;
    return 0;
}

/* Kilobytes of memory at most, so far. */
static long peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

/* In a process of its own, which the test's other memory does not hide: 0, or what is wrong. */
static int convert_in_child(const char *path)
{
    uint64_t size = 0;
    const byte_sink sink = { any_size, drop, &size };
    char error[300];
    const long before = peak();
    const int status = convert_into(path, NULL, &plainly, &sink, NULL, NULL, 0, error, sizeof error);
    return status != 0 ? 1 : size < (uint64_t)128 * MEGABYTE ? 2 : peak() - before > 64 * 1024 ? 3 : 0;
}

/* A model of 134 MB, of zeros but for its header, is converted in memory that is a fraction of it. */
static void test_memory(void)
{
    static const char format[] =
        "{\"__metadata__\":{\"b2s6\":\"{\\\"b2s6\\\":1,\\\"d_model\\\":%d,\\\"n_layers\\\":1,\\\"input\\\":{\\\"kind\\\":\\\"tokens\\\","
        "\\\"size\\\":%d},\\\"norm\\\":{\\\"kind\\\":\\\"none\\\"},\\\"final_norm\\\":{\\\"kind\\\":\\\"none\\\"},\\\"block\\\":\\\"s4\\\","
        "\\\"bidirectional\\\":false,\\\"unit\\\":{\\\"h\\\":1,\\\"d_state\\\":1,\\\"complex\\\":false,\\\"a_scope\\\":\\\"layer\\\","
        "\\\"b_weight\\\":false,\\\"b_bias\\\":true,\\\"c\\\":\\\"constant\\\",\\\"c_complex\\\":false,\\\"delta\\\":\\\"constant\\\","
        "\\\"discretization\\\":\\\"zoh\\\",\\\"conjugate\\\":false,\\\"skip\\\":false},\\\"pool\\\":\\\"none\\\","
        "\\\"head\\\":{\\\"size\\\":0,\\\"bias\\\":false,\\\"tied\\\":false}}\"}%s}";
    static const struct { const char *name, *shape; size_t n; } tensors[] = {
        { "encoder.weight", "[32768,1024]", (size_t)TOKENS * WIDTH }, { "layers.0.unit.A_log", "[1,1]", 1 },
        { "layers.0.unit.B_bias", "[1,1024,1]", WIDTH }, { "layers.0.unit.C", "[1,1024,1]", WIDTH }, { "layers.0.unit.b", "[1,1024]", WIDTH },
        { "layers.0.out.weight", "[2048,1024]", (size_t)2 * WIDTH * WIDTH }, { "layers.0.out.bias", "[2048]", 2 * WIDTH },
    };
    char folder[512], path[600], text[4000], list[2000] = "";
    unsigned char length[8];
    size_t at = 0, n = 0;
    FILE *file;
    pid_t child;
    int status = 0;
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; at += tensors[i].n * 4, i++)
        n += (size_t)snprintf(list + n, sizeof list - n, ",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}", tensors[i].name,
                              tensors[i].shape, at, at + tensors[i].n * 4);
    n = (size_t)snprintf(text, sizeof text, format, WIDTH, TOKENS, list);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)n >> (8 * i) & 0xff);
    CHECK(make_folder(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(length, 1, 8, file) == 8 && fwrite(text, 1, n, file) == n && fflush(file) == 0);
    CHECK(ftruncate(fileno(file), (off_t)(8 + n + at)) == 0 && fclose(file) == 0);
    fflush(NULL);
    child = fork();
    if (child == 0)
        _exit(convert_in_child(path));
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(unlink(path) == 0 && remove_folder(folder, NULL, 0));
    CHECK_EQUAL_INT(0, status);
}

static const test tests[] = {
    TEST(test_all_alike), TEST(test_original), TEST(test_truncated), TEST(test_flipped_bits), TEST(test_configurations),
    TEST(test_index), TEST(test_memory),
};
const test_suite suite_containers = TEST_SUITE("containers", tests);
