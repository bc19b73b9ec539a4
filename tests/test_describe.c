/* test_describe.c - what the library says about a model, about statuses and about itself */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "suites.h"

static void check_info(const b2s6_model_info *info, const model_config *c)
{
    CHECK_EQUAL_INT(2, info->arithmetic);
    CHECK_EQUAL_INT(c->input_kind, info->input_kind);
    CHECK_EQUAL_U64(c->input_size, info->input_size);
    CHECK_EQUAL_U64(output_width(c), info->output_size);
    CHECK_EQUAL_U64(c->head_size, info->head_size);
    CHECK_EQUAL_U64(c->d_model, info->d_model);
    CHECK_EQUAL_U64(c->n_layers, info->n_layers);
    CHECK_EQUAL_INT(is_bidirectional(c), info->bidirectional);
    CHECK_EQUAL_INT(c->final_norm, info->final_norm);
    CHECK_EQUAL_INT(c->pool, info->pool);
    CHECK_EQUAL_INT(c->head_tied, info->head_tied);
    CHECK_EQUAL_INT(0, info->reserved);
}

static void check_layer(const b2s6_layer_info *info, const model_config *c)
{
    const unit_config *u = &c->unit;
    CHECK_EQUAL_INT(c->bidirectional, info->bidirectional);
    CHECK_EQUAL_INT(c->block, info->block);
    CHECK_EQUAL_U64(c->d_inner, info->d_inner);
    CHECK_EQUAL_U64(c->d_conv, info->d_conv);
    CHECK_EQUAL_INT(c->norm, info->norm);
    CHECK_EQUAL_INT(c->norm_post, info->norm_post);
    CHECK_EQUAL_U64(u->h, info->h);
    CHECK_EQUAL_U64(u->d_state, info->d_state);
    CHECK_EQUAL_INT(u->complex_state, info->complex_state);
    CHECK_EQUAL_INT(u->a_scope, info->a_scope);
    CHECK_EQUAL_INT(u->b_weight, info->b_weight);
    CHECK_EQUAL_INT(u->b_bias, info->b_bias);
    CHECK_EQUAL_INT(u->c_selective, info->c_selective);
    CHECK_EQUAL_INT(u->c_complex, info->c_complex);
    CHECK_EQUAL_INT(u->delta, info->delta);
    CHECK_EQUAL_U64(u->dt_rank, info->dt_rank);
    CHECK_EQUAL_INT(u->euler, info->euler);
    CHECK_EQUAL_INT(u->conjugate, info->conjugate);
    CHECK_EQUAL_INT(u->skip, info->skip);
    CHECK_EQUAL_INT(!u->plain_states, info->compensated);
    CHECK_EQUAL_INT(0, info->reserved);
}

/* All weights of the checkpoint; of a batch norm, whose statistics are folded in, its weight and bias alone. */
static uint64_t parameter_count(const trained_model *model)
{
    uint64_t n = 0;
    for (size_t i = 0; i < model->n_tensors; i++)
        if (strstr(model->tensors[i].name, "running_") == NULL)
            n += model->tensors[i].count;
    return n;
}

static void test_describe(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        trained_model model;
        opened_model opened;
        test_context("random model %d", (int)seed);
        generate_model(&model, seed);
        open_trained(&opened, &model);
        check_info(&opened.info, &model.config);
        for (uint32_t l = 0; l < opened.info.n_layers; l++) {
            const b2s6_layer_info layer = layer_of(&opened, l);
            const model_config config = config_of_layer(&model.config, l);
            check_layer(&layer, &config);
        }
        CHECK_EQUAL_U64(opened.size, opened.info.file_size);
        CHECK_EQUAL_U64(parameter_count(&model), opened.info.parameter_count);
        close_model(&opened);
        trained_free(&model);
    }
}

/* Equal files have equal fingerprints, others have others. */
static void test_fingerprint(void)
{
    uint64_t seen[100];
    for (uint64_t seed = 0; seed < 100; seed++) {
        trained_model model;
        opened_model opened, again;
        generate_model(&model, seed);
        open_trained(&opened, &model);
        open_trained(&again, &model);
        seen[seed] = opened.info.fingerprint;
        CHECK_EQUAL_U64(seen[seed], again.info.fingerprint);
        for (uint64_t k = 0; k < seed; k++)
            CHECK(seen[k] != seen[seed]);
        close_model(&opened);
        close_model(&again);
        trained_free(&model);
    }
}

/* Where the members of both structures end, up to what this header knows; beyond that a newer one has members of 4 bytes. */
static int ends_a_model_member(size_t size)
{
    return size == 4 || size == 8 || size == 16 || size == 24 || (size >= 32 && size % 4 == 0);
}

static int ends_a_layer_member(size_t size)
{
    return size >= 4 && size % 4 == 0;
}

static b2s6_status describe_model(const b2s6_model *model, void *info)
{
    return b2s6_model_describe(model, (b2s6_model_info *)info);
}

static b2s6_status describe_layer(const b2s6_model *model, void *info)
{
    return b2s6_layer_describe(model, 0, (b2s6_layer_info *)info);
}

/* A caller's structure of any size: shorter ones get their part, longer ones zeros, one cut in a member is refused untouched. */
static void check_sizes(const b2s6_model *model, size_t known_size, int (*ends_a_member)(size_t size),
                        b2s6_status (*describe)(const b2s6_model *, void *))
{
    enum { LARGEST = 160 };
    unsigned char *full = (unsigned char *)aligned_memory(LARGEST), *given = (unsigned char *)aligned_memory(LARGEST);
    unsigned char expected[LARGEST];
    const uint32_t whole = (uint32_t)known_size;
    memset(full, 0, LARGEST);
    memcpy(full, &whole, sizeof whole);
    CHECK_OK(describe(model, full));
    for (uint32_t size = 0; size <= LARGEST; size++) {
        const b2s6_status status = ends_a_member(size) ? B2S6_OK : B2S6_ERROR_ARGUMENT;
        test_context("struct_size %u of %u", (unsigned)size, (unsigned)whole);
        memset(given, 0xA5, LARGEST);
        memcpy(given, &size, sizeof size);
        memcpy(expected, given, LARGEST);
        if (status == B2S6_OK) {
            memcpy(expected, full, size < known_size ? size : known_size);
            if (size > known_size)
                memset(expected + known_size, 0, size - known_size);
            memcpy(expected, &size, sizeof size);
        }
        CHECK_STATUS(status, describe(model, given));
        CHECK_BYTES(expected, given, LARGEST);
    }
    free(full);
    free(given);
}

static void test_describe_sizes(void)
{
    subject s;
    subject_make(&s, 0);
    check_sizes(s.opened.model, sizeof(b2s6_model_info), ends_a_model_member, describe_model);
    check_sizes(s.opened.model, sizeof(b2s6_layer_info), ends_a_layer_member, describe_layer);
    subject_free(&s);
}

static void test_metadata(void)
{
    trained_model model;
    opened_model opened;
    const char *value = NULL, *key;
    size_t n = 0, notes = 0;
    generate_model(&model, 3);
    snprintf(model.note, sizeof model.note, "f\xc3\xbcr dich; a = b, c");
    open_trained(&opened, &model);
    CHECK_STRING("generated.safetensors", b2s6_model_metadata(opened.model, "source"));
    CHECK_STRING(model.note, b2s6_model_metadata(opened.model, "note"));
    CHECK(b2s6_model_metadata(opened.model, "Note") == NULL);
    CHECK(b2s6_model_metadata(opened.model, "not") == NULL);
    CHECK(b2s6_model_metadata(opened.model, "notes") == NULL);
    CHECK(b2s6_model_metadata(opened.model, "") == NULL);
    CHECK(b2s6_model_metadata(opened.model, model.note) == NULL); /* a value is no key */
    while ((key = b2s6_model_metadata_at(opened.model, n, &value)) != NULL) {
        CHECK_STRING(b2s6_model_metadata(opened.model, key), value);
        CHECK_STRING(key, b2s6_model_metadata_at(opened.model, n, NULL));
        notes += strcmp(key, "note") == 0;
        n++;
    }
    CHECK_EQUAL_SIZE(1, notes);
    CHECK_EQUAL_SIZE(opened.info.metadata_count, n);
    CHECK(b2s6_model_metadata_at(opened.model, n + 1, &value) == NULL);
    CHECK(b2s6_model_metadata_at(opened.model, SIZE_MAX, &value) == NULL);
    close_model(&opened);
    trained_free(&model);
}

static void test_statuses(void)
{
    /* Values are pinned: a program compiled today reads them for ever. */
    static const struct { b2s6_status status; int value; } pinned[] = {
        { B2S6_OK, 0 }, { B2S6_ERROR_ARGUMENT, 1 }, { B2S6_ERROR_MEMORY, 2 }, { B2S6_ERROR_SIZE, 3 },
        { B2S6_ERROR_ALIGNMENT, 4 }, { B2S6_ERROR_INPUT_KIND, 5 }, { B2S6_ERROR_TOKEN, 6 }, { B2S6_ERROR_VALUE, 7 },
        { B2S6_ERROR_BIDIRECTIONAL, 8 }, { B2S6_ERROR_MODEL, 9 }, { B2S6_ERROR_ISA, 10 }, { B2S6_ERROR_SNAPSHOT, 11 }, { B2S6_ERROR_ARITHMETIC, 12 },
        { B2S6_ERROR_FILE, 32 }, { B2S6_ERROR_MAGIC, 33 }, { B2S6_ERROR_VERSION, 34 }, { B2S6_ERROR_TRUNCATED, 35 }, { B2S6_ERROR_CHECKSUM, 36 },
        { B2S6_ERROR_FORMAT, 37 }, { B2S6_ERROR_TENSOR, 38 }, { B2S6_ERROR_WEIGHTS, 39 }, { B2S6_ERROR_UNSUPPORTED, 40 },
    };
    const char *unknown = b2s6_status_text((b2s6_status)31337);
    size_t n = sizeof pinned / sizeof pinned[0];
    CHECK(unknown != NULL && unknown[0] != 0);
    for (size_t i = 0; i < n; i++) {
        const char *text = b2s6_status_text(pinned[i].status);
        CHECK_EQUAL_INT(pinned[i].value, pinned[i].status);
        CHECK(text != NULL && text[0] != 0 && strchr(text, '\n') == NULL && strcmp(text, unknown) != 0);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(text, b2s6_status_text(pinned[k].status)) != 0);
    }
    CHECK_STRING(unknown, b2s6_status_text((b2s6_status)-1));
    CHECK_STRING(unknown, b2s6_status_text(B2S6_STATUS_PIN));
    for (int value = 0; value < 200; value++) {
        size_t known = 0;
        for (size_t i = 0; i < n; i++)
            known += pinned[i].value == value;
        test_context("status %d", value);
        CHECK((strcmp(b2s6_status_text((b2s6_status)value), unknown) == 0) == (known == 0)); /* none is missing above */
    }
}

static void test_version(void)
{
    char text[40];
    snprintf(text, sizeof text, "%d.%d.%d", B2S6_VERSION_MAJOR, B2S6_VERSION_MINOR, B2S6_VERSION_PATCH);
    CHECK_STRING(text, b2s6_version_text());
    CHECK_EQUAL_U64(10000 * B2S6_VERSION_MAJOR + 100 * B2S6_VERSION_MINOR + B2S6_VERSION_PATCH, b2s6_version());
    CHECK_EQUAL_U64(B2S6_VERSION, b2s6_version());
}

/* Enumerations take four bytes in a structure, whatever a compiler would like; other values are pinned like statuses. */
static void test_enumerations(void)
{
    CHECK_EQUAL_SIZE(4, sizeof(b2s6_status));
    CHECK_EQUAL_SIZE(4, sizeof(b2s6_input_kind));
    CHECK_EQUAL_SIZE(4, sizeof(b2s6_norm));
    CHECK_EQUAL_INT(1, B2S6_TOKENS);
    CHECK_EQUAL_INT(2, B2S6_FEATURES);
    CHECK_EQUAL_INT(1, B2S6_BLOCK_S4);
    CHECK_EQUAL_INT(2, B2S6_BLOCK_MAMBA);
    CHECK_EQUAL_INT(0, B2S6_NORM_NONE);
    CHECK_EQUAL_INT(1, B2S6_NORM_LAYER);
    CHECK_EQUAL_INT(2, B2S6_NORM_RMS);
    CHECK_EQUAL_INT(3, B2S6_NORM_BATCH);
    CHECK_EQUAL_INT(0, B2S6_POOL_NONE);
    CHECK_EQUAL_INT(1, B2S6_POOL_MEAN);
    CHECK_EQUAL_INT(2, B2S6_POOL_LAST);
    CHECK_EQUAL_INT(1, B2S6_SCOPE_LAYER);
    CHECK_EQUAL_INT(2, B2S6_SCOPE_BLOCK);
    CHECK_EQUAL_INT(3, B2S6_SCOPE_CHANNEL);
    CHECK_EQUAL_INT(1, B2S6_DELTA_BLOCK);
    CHECK_EQUAL_INT(2, B2S6_DELTA_LOWRANK);
    CHECK_EQUAL_INT(3, B2S6_DELTA_CONSTANT);
    CHECK_EQUAL_INT(1, B2S6_OPEN_VERIFY);
    CHECK_EQUAL_INT(2, B2S6_OPEN_TRUST);
    CHECK_EQUAL_INT(1, B2S6_RUN_LAST);
    CHECK_EQUAL_INT(2, B2S6_RUN_HIDDEN);
}

static const test tests[] = {
    TEST(test_describe), TEST(test_fingerprint), TEST(test_describe_sizes), TEST(test_metadata), TEST(test_statuses),
    TEST(test_version), TEST(test_enumerations),
};
const test_suite suite_describe = TEST_SUITE("describe", tests);
