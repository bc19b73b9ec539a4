/* test_mamba2.c - what may be wrong with a Mamba-2 checkpoint, and with a model file that has mamba2 and mlp blocks */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "altered.h"
#include "attempt.h"
#include "checkpoints.h"
#include "guard.h"
#include "mamba2.h"
#include "subjects.h"
#include "suites.h"

/* Layer 1 of the .b2s6 file is mamba2, layer 2 its mlp. */
static void small_parts(file_parts *parts)
{
    mamba2_model model;
    unsigned char *file;
    size_t size;
    mamba2_generate_small(&model);
    file = mamba2_convert(&model, "f32", NULL, &size);
    file_take_apart(parts, file);
    free(file);
    mamba2_free(&model);
}

static void test_configuration_values(void)
{
    static const struct { uint32_t key, value; } wrong[] = {
        { KEY(1, 1), 5 }, { KEY(1, 17), 0 }, { KEY(1, 17), 65537 }, { KEY(1, 18), 0 }, { KEY(1, 18), 65 }, { KEY(1, 19), 4 },
        { KEY(1, 20), 65537 }, { KEY(1, 20), UINT32_MAX }, { KEY(1, 21), 0 }, { KEY(1, 21), 65537 }, { KEY(1, 21), 65536 },
        { KEY(1, 22), 3 }, { KEY(1, 22), 0 }, { KEY(1, 23), 0 }, { KEY(1, 23), 65536 }, { KEY(1, 24), 0x7f800000 },
        { KEY(1, 24), 0x80000001 }, { KEY(1, 25), 0x7f800000 }, { KEY(1, 25), 0x7f7fffff }, { KEY(1, 25), 0xbf800000 },
        { KEY(1, 26), 0 }, { KEY(1, 26), 0x7f800001 }, { KEY(1, 26), 0x7fc00000 }, { KEY(1, 26), 0x80000000 }, { KEY(1, 27), 0 },
        { KEY(1, 27), 3 }, { KEY(1, 32), 0 }, { KEY(1, 32), 65536 }, { KEY(1, 33), 0 }, { KEY(1, 33), 4097 }, { KEY(1, 44), 0 },
        { KEY(1, 44), 3 }, { KEY(2, 17), 0 }, { KEY(2, 17), 65537 },
    };
    static const uint32_t foreign[] = { KEY(1, 16), KEY(1, 28), KEY(1, 34), KEY(1, 40), KEY(2, 16), KEY(2, 18), KEY(2, 32),
                                        KEY(2, 44) };
    file_parts parts;
    small_parts(&parts);
    expect_altered(&parts, B2S6_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t at = file_find_config(&parts, wrong[i].key), kept = parts.config[at][1];
        test_context("configuration key %u of section %u is %u", wrong[i].key & 0xffff, wrong[i].key >> 16, wrong[i].value);
        CHECK(at < parts.n_config);
        parts.config[at][1] = wrong[i].value;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        parts.config[at][1] = kept;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        uint32_t at = 0;
        test_context("configuration key %u of section %u is foreign", foreign[i] & 0xffff, foreign[i] >> 16);
        while (at < parts.n_config && parts.config[at][0] < foreign[i])
            at++;
        file_insert_config(&parts, at, foreign[i], 1);
        expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
        file_remove_config(&parts, at);
    }
    for (uint32_t at = file_find_config(&parts, KEY(1, 2)); at < parts.n_config; at++) {
        const uint32_t key = parts.config[at][0], value = parts.config[at][1];
        if ((key & 0xffff) == 1)
            continue; /* without it the layer is as the one before */
        test_context("configuration key %u of section %u is missing", key & 0xffff, key >> 16);
        file_remove_config(&parts, at);
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        file_insert_config(&parts, at, key, value);
    }
    file_free(&parts);
}

/* A tensor that is not there; one of another shape; an A that is not stable. */
static void test_tensors(void)
{
    file_parts parts;
    uint32_t n_layer_tensors = 0;
    small_parts(&parts);
    for (uint32_t i = 0; i < parts.n_tensors; i++) {
        file_tensor *t = &parts.tensors[i], kept = *t;
        unsigned char *data;
        if (t->section < 1 || t->section > 2)
            continue;
        n_layer_tensors++;
        test_context("section %u, role %u", t->section, t->role);
        data = t->data;
        t->data = (unsigned char *)calloc(1, (size_t)(2 * t->bytes)); /* twice as many of it */
        CHECK(t->data != NULL);
        t->count *= 2;
        t->bytes *= 2;
        expect_altered(&parts, B2S6_ERROR_TENSOR);
        free(t->data);
        *t = kept;
        if (t->role == ROLE_A) {
            const uint64_t a = get_le(data, 4);
            put_le(data, 0, 4);
            expect_altered(&parts, B2S6_ERROR_WEIGHTS);
            put_le(data, 0x3f800000, 4);
            expect_altered(&parts, B2S6_ERROR_WEIGHTS);
            put_le(data, a, 4);
        }
        data = (unsigned char *)malloc((size_t)kept.bytes);
        CHECK(data != NULL);
        memcpy(data, kept.data, (size_t)kept.bytes);
        file_remove_tensor(&parts, i);
        expect_altered(&parts, B2S6_ERROR_TENSOR);
        file_insert_tensor(&parts, i, &kept, data);
        free(data);
    }
    CHECK_EQUAL_INT(20, n_layer_tensors);
    expect_altered(&parts, B2S6_OK);
    file_free(&parts);
}

/* Truncations, and bits all over the file: damage is refused; a bit under right checksums is refused or harmless. */
static void test_damage(void)
{
    size_t size, n_open = 0;
    unsigned char *file;
    mamba2_model model;
    b2s6_error error;
    guard g;
    mamba2_generate_small(&model);
    file = mamba2_convert(&model, "q8", NULL, &size);
    for (size_t n = 0; n < size; n += n < 2048 ? 1 : 211) {
        test_context("%zu of %zu bytes", n, size);
        guard_make(&g, n);
        CHECK(attempt_use(guard_copy(&g, file, n), n, 0, &error) != B2S6_OK);
        guard_free(&g);
    }
    guard_make(&g, size);
    for (size_t bit = 0; bit < 8 * size; bit += bit < 8 * (size_t)get_le(file + AT_HEADER_BYTES, 4) ? 3 : 1009) {
        unsigned char *copy;
        test_context("byte %zu, bit %zu", bit / 8, bit % 8);
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
        CHECK(attempt_use(guard_copy(&g, file, size), size, B2S6_OPEN_VERIFY, &error) != B2S6_OK);
        copy = (unsigned char *)malloc(size);
        CHECK(copy != NULL);
        memcpy(copy, file, size);
        file_seal(copy, size);
        n_open += attempt_use(guard_copy(&g, copy, size), size, 0, &error) == B2S6_OK;
        free(copy);
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    test_note("%zu models with one bit turned run", n_open);
    CHECK(n_open > 100);
    guard_free(&g);
    free(file);
    mamba2_free(&model);
}

/* ---------------------------------------------------------------------------------------------------------- checkpoints */

static void check_configs(const char *const (*cases)[2], size_t n)
{
    checkpoint_file file = checkpoint_from("{}", 0);
    for (size_t i = 0; i < n; i++) {
        test_context("%s", cases[i][0]);
        check_refused_hf(cases[i][0], &file, cases[i][1]);
    }
    checkpoint_release(&file);
}

#define HF(more) "{\"model_type\": \"mamba2\", \"hidden_size\": 4, \"num_heads\": 2, \"head_dim\": 4, \"n_groups\": 1" more "}"
#define SS(more) "{\"d_model\": 4, \"n_layer\": 1, \"vocab_size\": 3" more "}"
#define SSM(more) SS(", \"ssm_cfg\": {\"layer\": \"Mamba2\", \"headdim\": 2" more "}")

static void test_configurations(void)
{
    static const char *const cases[][2] = {
        { "{\"model_type\": \"mamba2\", \"hidden_size\": 4}", "num_heads times head_dim is 8192, but expand times hidden_size 8" },
        { HF(", \"n_groups\": 2"), "n_groups is given twice" },
        { "{\"model_type\": \"mamba2\", \"hidden_size\": 4, \"num_heads\": 2, \"head_dim\": 4}", "the number of groups is 8" },
        { HF(", \"architectures\": [\"Mamba2Model\"]"), "architectures is \"Mamba2Model\"" },
        { HF(", \"hidden_act\": \"gelu\""), "hidden_act is \"gelu\"" },
        { HF(", \"quantization_config\": {}"), "quantized weights" },
        { HF(", \"expand\": 3"), "num_heads times head_dim is 8, but expand times hidden_size 12" },
        { HF(", \"time_step_limit\": 1"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [1]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [0, 1, 2]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [1, 0.5]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [-1, 0.5]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [Infinity, Infinity]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [0, -Infinity]"), "config.json is not JSON" },
        { HF(", \"time_step_limit\": [0, NaN]"), "config.json is not JSON" },
        { HF(", \"time_step_limit\": [0, {\"__float__\": \"NaN\"}]"), "time_step_limit is not a list" },
        { HF(", \"time_step_limit\": [0, {}]"), "time_step_limit is not a list" },
        { HF(", \"layer_norm_epsilon\": Infinity"), "layer_norm_epsilon is not a finite number" },
        { HF(", \"conv_kernel\": Infinity"), "conv_kernel is not an integer" },
        { HF(""), "tensor backbone.embeddings.weight is missing" },
        { SS(""), "tensor backbone.embedding" }, /* Mamba-1 */
        { SS(", \"ssm_cfg\": {\"layer\": \"Mamba4\"}"), "ssm_cfg.layer is" },
        { SSM(", \"dstate\": 2"), "dstate" },
        { SSM(", \"d_ssm\": 9"), "ssm_cfg.d_ssm is not an integer from 1 to 8" },
        { SSM(", \"d_ssm\": 3"), "ssm_cfg.headdim 2 does not divide the width 3" },
        { SSM(", \"d_ssm\": \"4\""), "ssm_cfg.d_ssm is not an integer" },
        { SSM(", \"ngroups\": 3"), "3 groups do not divide 4 heads" },
        { SSM(", \"expand\": 1e9"), "expand times d_model" },
        { SSM(", \"d_conv\": 65"), "d_conv is not an integer" },
        { SSM(", \"dt_limit\": [2, 1]"), "ssm_cfg.dt_limit is not a list" },
        { SSM("}, \"d_modle\": {"), "d_modle" },
        { SSM("}, \"attn_layer_idx\": [0], \"attn_cfg\": {"), "attention layers" },
        { SSM("}, \"pad_vocab_size_multiple\": 0, \"attn_cfg\": {"), "pad_vocab_size_multiple is not an integer" },
        { SSM(""), "tensor backbone.embedding" },
    };
    check_configs(cases, sizeof cases / sizeof cases[0]);
}

/* The three ways to say that delta has no largest value give one file. */
static void test_infinity(void)
{
    static const char *const ways[] = { "Infinity", "{\"__float__\": \"Infinity\"}", NULL };
    mamba2_model model;
    checkpoint_file file;
    unsigned char *first = NULL;
    size_t first_size = 0;
    mamba2_generate_small(&model);
    file.bytes = trained_write_tensors(&model.tensors, "{\"format\": \"pt\"}", &file.size);
    model.config.has_limits = 0;
    for (size_t i = 0; i < 3; i++) {
        const convert_options options = { "f32", NULL, NULL, 0 };
        char config[1024], error[300] = "", limit[64];
        unsigned char *bytes = NULL;
        size_t size;
        mamba2_write_config(&model.config, config, sizeof config);
        if (ways[i]) { /* before the last two braces */
            snprintf(limit, sizeof limit, ", \"dt_limit\": [0, %s]}}", ways[i]);
            strcpy(config + strlen(config) - 2, limit);
        }
        test_context("%s", config);
        if (convert_folder_memory(config, strlen(config), file.bytes, file.size, "x", &options, &bytes, &size, error,
                                  sizeof error) != 0)
            FAIL(error);
        if (first == NULL) {
            first = bytes;
            first_size = size;
            continue;
        }
        CHECK_EQUAL_SIZE(first_size, size);
        CHECK_BYTES(first, bytes, size);
        free(bytes);
    }
    free(first);
    checkpoint_release(&file);
    mamba2_free(&model);
}

/* A checkpoint that lacks a tensor, has one too many, or ends early. */
static void test_checkpoints(void)
{
    mamba2_model model;
    checkpoint_file whole;
    char config[1024];
    mamba2_generate_small(&model);
    mamba2_write_config(&model.config, config, sizeof config);
    whole.bytes = trained_write_tensors(&model.tensors, "{\"format\": \"pt\"}", &whole.size);
    for (size_t size = 0; size < whole.size; size += size < 3000 ? 1 : 307) {
        checkpoint_file file = { (unsigned char *)malloc(size + (size == 0)), size };
        CHECK(file.bytes != NULL);
        memcpy(file.bytes, whole.bytes, size);
        test_context("%zu of %zu bytes", size, whole.size);
        check_refused_hf(config, &file, "");
        checkpoint_release(&file);
    }
    checkpoint_release(&whole);
    for (size_t i = 0; i < model.tensors.n_tensors; i++) {
        trained_model less;
        char name[56];
        snprintf(name, sizeof name, "%s", model.tensors.tensors[i].name);
        trained_copy(&less, &model.tensors);
        trained_remove(&less, name);
        whole.bytes = trained_write_tensors(&less, "{\"format\": \"pt\"}", &whole.size);
        test_context("without %s", name);
        if (model.config.tied || strcmp(name, "lm_head.weight") != 0)
            check_refused_hf(config, &whole, "is missing");
        checkpoint_release(&whole);
        trained_add(&less, name, model.tensors.tensors[i].rank, (const size_t[]){ 1, 2, 3 });
        whole.bytes = trained_write_tensors(&less, "{\"format\": \"pt\"}", &whole.size);
        check_refused_hf(config, &whole, "the shape is");
        checkpoint_release(&whole);
        trained_free(&less);
    }
    trained_add(&model.tensors, "backbone.more", 1, (const size_t[]){ 1 });
    whole.bytes = trained_write_tensors(&model.tensors, "{\"format\": \"pt\"}", &whole.size);
    check_refused_hf(config, &whole, "has no use for it");
    checkpoint_release(&whole);
    mamba2_free(&model);
}

/* What the library says of the layers. */
static void test_describe(void)
{
    mamba2_model model;
    opened_model opened;
    unsigned char *file;
    b2s6_layer_info mixer, mlp;
    const mamba2_config *c = &model.config;
    size_t size;
    mamba2_generate_small(&model);
    file = mamba2_convert(&model, "f32", "plain", &size);
    open_bytes(&opened, file, size);
    CHECK_EQUAL_INT(2 * c->n_layers, opened.info.n_layers);
    mixer = layer_of(&opened, 0);
    mlp = layer_of(&opened, 1);
    CHECK_EQUAL_INT(B2S6_BLOCK_MAMBA2, mixer.block);
    CHECK_EQUAL_INT(c->d_ssm, mixer.d_inner);
    CHECK_EQUAL_INT(c->d_ssm / c->headdim, mixer.h);
    CHECK_EQUAL_INT(c->n_groups, mixer.n_groups);
    CHECK_EQUAL_INT(c->expand * c->d_model - c->d_ssm, mixer.d_mlp);
    CHECK_EQUAL_INT(c->norm_before_gate ? B2S6_GATED_NORM_BEFORE : B2S6_GATED_NORM_AFTER, mixer.gated_norm);
    CHECK_EQUAL_INT(c->n_groups, mixer.norm_groups);
    CHECK_EQUAL_INT(B2S6_SCOPE_HEAD, mixer.a_scope);
    CHECK_EQUAL_INT(B2S6_DELTA_INPUT, mixer.delta);
    CHECK(mixer.euler && mixer.skip && mixer.b_weight && mixer.c_selective && !mixer.complex_state && !mixer.compensated);
    CHECK_EQUAL_INT(B2S6_BLOCK_MLP, mlp.block);
    CHECK_EQUAL_INT((c->d_intermediate + 127) / 128 * 128, mlp.d_inner);
    CHECK(mlp.h == 0 && mlp.d_state == 0 && mlp.n_groups == 0 && mlp.d_conv == 0);
    close_model(&opened);
    free(file);
    mamba2_free(&model);
}

static const test tests[] = {
    TEST(test_configuration_values), TEST(test_tensors), TEST(test_damage), TEST(test_configurations), TEST(test_infinity),
    TEST(test_checkpoints), TEST(test_describe),
};
const test_suite suite_mamba2 = TEST_SUITE("mamba2", tests);
