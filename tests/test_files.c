/*
 * test_files.c - model files that are missing, foreign, cut short or altered, byte by byte
 *
 * Every file lies in guarded memory: a read behind its end, or a write into it, ends the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "files.h"
#include "guard.h"
#include "model_file.h"
#include "subjects.h"
#include "suites.h"

/* A small model with a little of everything; i picks among several. */
static unsigned char *small_file(int i, size_t *size)
{
    random_source random = { 40 + (uint64_t)i };
    trained_model model;
    unsigned char *file;
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 3, i == 1 ? 1 : 3, 2);
    model.config.input_size = 3;
    model.config.head_size = 2;
    model.config.n_layers = 1;
    if (i == 1) {
        model.config.block = B2S6_BLOCK_MAMBA;
        model.config.d_inner = 4;
        model.config.d_conv = 2;
        model.config.unit.delta = B2S6_DELTA_LOWRANK;
        model.config.unit.dt_rank = 2;
        model.config.unit.a_scope = B2S6_SCOPE_CHANNEL;
        model.config.input_kind = B2S6_FEATURES;
    }
    if (i == 2) {
        model.config.bidirectional = 1;
        model.config.pool = B2S6_POOL_MEAN;
        model.config.unit.delta = B2S6_DELTA_CONSTANT;
        model.config.unit.a_scope = B2S6_SCOPE_BLOCK;
        model.config.unit.c_selective = 0;
        model.config.norm = B2S6_NORM_BATCH;
    }
    snprintf(model.note, sizeof model.note, "a small model");
    generate_tensors(&model, &random);
    file = convert_trained(&model, size);
    trained_free(&model);
    return file;
}

enum { N_SMALL = 3 };

/* The file taken apart and rebuilt after docs/format.md is the converter's file to the byte. */
static void test_format_page(void)
{
    for (int i = 0; i < N_SMALL; i++) {
        size_t size, rebuilt_size;
        unsigned char *file = small_file(i, &size), *rebuilt;
        file_parts parts;
        file_take_apart(&parts, file);
        rebuilt = file_build(&parts, &rebuilt_size);
        CHECK_EQUAL_SIZE(size, rebuilt_size);
        CHECK_BYTES(file, rebuilt, size);
        file_free(&parts);
        free(file);
        free(rebuilt);
    }
}

/* Cut to every length from 0 to one byte short. */
static void test_truncated(void)
{
    for (int i = 0; i < N_SMALL; i++) {
        size_t size;
        unsigned char *file = small_file(i, &size);
        guard g;
        guard_make(&g, size);
        for (size_t n = 0; n < size; n++) {
            b2s6_error error;
            unsigned char *exact = (unsigned char *)malloc(n ? n : 1); /* exact to the byte for sanitizers */
            test_context("small model %d of %zu bytes cut to %zu", i, size, n);
            memcpy(exact, file, n);
            CHECK_STATUS(n < 8 ? B2S6_ERROR_MAGIC : B2S6_ERROR_TRUNCATED,
                         attempt_use(guard_copy(&g, file, n), n, 0, &error));
            CHECK_STATUS(n < 8 ? B2S6_ERROR_MAGIC : B2S6_ERROR_TRUNCATED,
                         attempt_use(exact, n, B2S6_OPEN_TRUST, &error));
            free(exact);
        }
        CHECK_OK(attempt_use(guard_copy(&g, file, size), size, 0, &(b2s6_error){ B2S6_OK, 0, 0, "" }));
        guard_free(&g);
        free(file);
    }
}

/* Opens and closes; for tests that do it a hundred thousand times. */
static b2s6_status open_once(const unsigned char *file, size_t size, uint32_t flags)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_error error;
    b2s6_status status;
    options.flags = flags;
    options.isa = "portable";
    status = b2s6_model_open_memory(&model, file, size, &options, &error);
    CHECK_EQUAL_INT(status, error.status);
    CHECK((status == B2S6_OK) == (model != NULL));
    b2s6_model_close(model);
    return status;
}

/* Each byte of the file changed in nine ways; the checksums notice. Of a trusted file only the header's are looked at. */
static void test_every_byte_altered(void)
{
    for (int i = 0; i < N_SMALL; i++) {
        size_t size, header;
        unsigned char *file = small_file(i, &size);
        guard g;
        header = (size_t)get_le(file + AT_HEADER_BYTES, 4);
        guard_make(&g, size);
        for (size_t at = 0; at < size; at++)
            for (unsigned change = 0; change < 9; change++) {
                unsigned char was = file[at];
                const unsigned char *copy;
                if (at >= header && change != at % 9)
                    continue; /* a CRC notices any change of one byte; of the data one is tried */
                file[at] = (unsigned char)(was ^ (change < 8 ? 1u << change : 0xffu));
                copy = guard_copy(&g, file, size);
                test_context("small model %d, byte %zu of %zu: %02x for %02x", i, at, size, file[at], was);
                if (at < header) {
                    CHECK(open_once(copy, size, 0) != B2S6_OK);
                    CHECK(open_once(copy, size, B2S6_OPEN_TRUST) != B2S6_OK);
                } else {
                    CHECK_STATUS(B2S6_ERROR_CHECKSUM, open_once(copy, size, 0));
                    CHECK_OK(open_once(copy, size, B2S6_OPEN_TRUST));
                }
                file[at] = was;
            }
        guard_free(&g);
        free(file);
    }
}

/*
 * Each byte of the header changed, with checksums that match, so that the checks behind them are reached. What opens (another
 * eps, other metadata) must run. The header's own fields may never be altered unnoticed.
 */
static void test_every_header_byte_altered_and_sealed(void)
{
    size_t opened = 0, refused = 0;
    for (int i = 0; i < N_SMALL; i++) {
        size_t size, header;
        unsigned char *file = small_file(i, &size), *copy = (unsigned char *)malloc(size);
        guard g;
        header = (size_t)get_le(file + AT_HEADER_BYTES, 4);
        guard_make(&g, size);
        for (size_t at = 0; at < header; at++)
            for (unsigned change = 0; change < 13; change++) {
                static const unsigned char values[] = { 0x00, 0xff, 0x7f, 0x01 };
                b2s6_error error;
                memcpy(copy, file, size);
                copy[at] = change < 9 ? (unsigned char)(file[at] ^ (change < 8 ? 1u << change : 0xffu)) : values[change - 9];
                if (copy[at] == file[at] || (at >= AT_HEADER_CRC && at < AT_HEADER_CRC + 8))
                    continue;
                file_seal_header(copy, size);
                test_context("small model %d, byte %zu of the header: %02x for %02x, sealed", i, at, copy[at], file[at]);
                if (attempt_use(guard_copy(&g, copy, size), size, 0, &error) == B2S6_OK)
                    opened++;
                else
                    refused++;
                CHECK(at >= AT_CONFIG || error.status != B2S6_OK);
            }
        guard_free(&g);
        free(file);
        free(copy);
    }
    test_note("%zu altered headers refused, %zu opened and ran", refused, opened);
    CHECK(opened > 0 && refused > 10 * opened);
}

/* Files that are something else. */
static void test_foreign(void)
{
    static const char *const foreign[] = {
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "\x89" "B2S6\n\x1a\0 damaged by a text-mode copy, as long as a header is or longer",
        "GGUF\3\0\0\0", "\x7f" "ELF\2\1\1", "{\"b2s6\": 1}", "PK\3\4", "\xef\xbb\xbf# text",
    };
    size_t size;
    unsigned char zeros[256], *safetensors;
    trained_model model;
    b2s6_error error;
    guard g;
    guard_make(&g, 1 << 16);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        size = strlen(foreign[i]);
        CHECK_STATUS(B2S6_ERROR_MAGIC, attempt_use(guard_copy(&g, foreign[i], size), size, 0, &error));
    }
    memset(zeros, 0, sizeof zeros);
    CHECK_STATUS(B2S6_ERROR_MAGIC, attempt_use(guard_copy(&g, zeros, sizeof zeros), sizeof zeros, 0, &error));
    generate_model(&model, 1);
    safetensors = trained_write(&model, &size);
    size = size < 1 << 16 ? size : 1 << 16;
    CHECK_STATUS(B2S6_ERROR_MAGIC, attempt_use(guard_copy(&g, safetensors, size), size, 0, &error));
    free(safetensors);
    trained_free(&model);
    guard_free(&g);
}

/* Random bytes behind a valid magic and version, with a matching checksum and sizes. */
static void test_random_bytes(void)
{
    random_source random = { 99 };
    unsigned char file[1024];
    b2s6_error error;
    guard g;
    guard_make(&g, sizeof file);
    for (int i = 0; i < 3000; i++) {
        size_t size = 64 * (1 + random_below(&random, sizeof file / 64));
        for (size_t k = 0; k < size; k++)
            file[k] = (unsigned char)(random_below(&random, 3) ? random_below(&random, 5) : random_u64(&random));
        memcpy(file, "\x89" "B2S6\r\n\x1a\1\0\0\0", 12);
        put_le(file + AT_HEADER_BYTES, 64 * (1 + random_below(&random, (uint32_t)(size / 64))), 4);
        put_le(file + AT_FILE_BYTES, size, 8);
        file_seal(file, size);
        test_context("random file %d", i);
        CHECK(attempt_use(guard_copy(&g, file, size), size, 0, &error) != B2S6_OK);
    }
    guard_free(&g);
}

/* ---------------------------------------------------------------------------------------------------------------- paths */

static void check_path(b2s6_status expected, const char *path)
{
    b2s6_model *model = (b2s6_model *)(void *)&model;
    b2s6_error error;
    memset(&error, 0xA5, sizeof error);
    CHECK_STATUS(expected, b2s6_model_open_file(&model, path, NULL, &error));
    CHECK_EQUAL_INT(expected, error.status);
    CHECK((model == NULL) == (expected != B2S6_OK));
    CHECK((error.message[0] == 0) == (expected == B2S6_OK));
    CHECK(memchr(error.message, 0, sizeof error.message) != NULL);
    if (model != NULL)
        attempt_steps(model);
    b2s6_model_close(model);
}

static void test_paths(void)
{
    static const char *const files[] = { "empty", "a model.b2s6", "half.b2s6" };
    char folder[512], path[600];
    size_t size;
    unsigned char *file = small_file(0, &size);
    CHECK(make_folder(folder, sizeof folder));
    CHECK(write_file(folder, files[0], "", 0));
    CHECK(write_file(folder, files[1], file, size));
    CHECK(write_file(folder, files[2], file, size / 2));
    snprintf(path, sizeof path, "%s/missing.b2s6", folder);
    check_path(B2S6_ERROR_FILE, path);
    check_path(B2S6_ERROR_FILE, folder);
    check_path(B2S6_ERROR_FILE, "");
    check_path(B2S6_ERROR_ARGUMENT, NULL);
    snprintf(path, sizeof path, "%s/%s", folder, files[0]);
    check_path(B2S6_ERROR_MAGIC, path);
    snprintf(path, sizeof path, "%s/%s", folder, files[1]);
    check_path(B2S6_OK, path);
    snprintf(path, sizeof path, "%s/%s", folder, files[2]);
    check_path(B2S6_ERROR_TRUNCATED, path);
    CHECK(remove_folder(folder, files, 3));
    free(file);
}

static const test tests[] = {
    TEST(test_format_page), TEST(test_truncated), TEST(test_every_byte_altered),
    TEST(test_every_header_byte_altered_and_sealed), TEST(test_foreign), TEST(test_random_bytes), TEST(test_paths),
};
const test_suite suite_files = TEST_SUITE("files", tests);
