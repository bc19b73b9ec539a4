/*
 * test_structure.c - model files that are whole and sealed but not what docs/format.md allows: header, configuration, metadata
 *
 * Each test alters one thing of a valid file and names the status that the loader must give, and where it matters the offset.
 */
#include <stdlib.h>
#include <string.h>

#include "altered.h"
#include "model_file.h"
#include "suites.h"

/* -------------------------------------------------------------------------------------------------------- header fields */

/* One field of the header overwritten, then sealed. */
static void alter(size_t at, size_t width, uint64_t value, b2s6_status expected, uint64_t offset)
{
    size_t size;
    unsigned char *file = altered_base(&size);
    test_context("%zu bytes at %zu become %llu", width, at, (unsigned long long)value);
    put_le(file + at, value, width);
    file_seal_header(file, size);
    expect_altered_file(file, size, expected, offset);
    free(file);
}

static void test_header_fields(void)
{
    size_t size;
    unsigned char *file = altered_base(&size);
    uint64_t header = get_le(file + AT_HEADER_BYTES, 4), n_config = get_le(file + AT_N_CONFIG, 4);
    uint64_t n_metadata = get_le(file + AT_N_METADATA, 4), metadata = get_le(file + AT_METADATA_BYTES, 4);
    uint64_t n_tensors = get_le(file + AT_N_TENSORS, 4);
    static const uint64_t versions[] = { 0, 2, 255, 256, 0x01000000, 0xffffffff };
    static const uint64_t large[] = { 1, 7, 8, 64, 0x7fffffff, 0x80000000u, 0xffffffc0u, 0xffffffffu };
    for (size_t i = 0; i < 8; i++)
        alter(AT_MAGIC + i, 1, file[AT_MAGIC + i] ^ 0x20u, B2S6_ERROR_MAGIC, 0);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        alter(AT_VERSION, 4, versions[i], B2S6_ERROR_VERSION, AT_VERSION);
    alter(AT_FILE_BYTES, 8, size + 1, B2S6_ERROR_TRUNCATED, AT_FILE_BYTES);
    alter(AT_FILE_BYTES, 8, size + 64, B2S6_ERROR_TRUNCATED, AT_FILE_BYTES);
    alter(AT_FILE_BYTES, 8, (uint64_t)1 << 63, B2S6_ERROR_TRUNCATED, AT_FILE_BYTES);
    alter(AT_FILE_BYTES, 8, UINT64_MAX, B2S6_ERROR_TRUNCATED, AT_FILE_BYTES);
    alter(AT_FILE_BYTES, 8, size - 1, B2S6_ERROR_FORMAT, AT_FILE_BYTES);
    alter(AT_FILE_BYTES, 8, 0, B2S6_ERROR_FORMAT, AT_FILE_BYTES);
    alter(AT_HEADER_BYTES, 4, 0, B2S6_ERROR_FORMAT, AT_HEADER_BYTES);
    alter(AT_HEADER_BYTES, 4, 63, B2S6_ERROR_FORMAT, AT_HEADER_BYTES);
    alter(AT_HEADER_BYTES, 4, 0xffffffffu, B2S6_ERROR_FORMAT, AT_HEADER_BYTES);
    alter(AT_HEADER_BYTES, 4, size + 64, B2S6_ERROR_FORMAT, AT_HEADER_BYTES);
    alter(AT_HEADER_BYTES, 4, header - 64, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_HEADER_BYTES, 4, header + 64, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_HEADER_BYTES, 4, header + 1, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_DATA_CRC, 4, get_le(file + AT_DATA_CRC, 4) ^ 1, B2S6_ERROR_CHECKSUM, header);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        alter(AT_N_CONFIG, 4, (n_config + large[i]) & 0xffffffffu, B2S6_ERROR_FORMAT, anywhere);
        alter(AT_N_METADATA, 4, (n_metadata + large[i]) & 0xffffffffu, B2S6_ERROR_FORMAT, anywhere);
        alter(AT_METADATA_BYTES, 4, (metadata + large[i]) & 0xffffffffu, B2S6_ERROR_FORMAT, anywhere);
        alter(AT_N_TENSORS, 4, (n_tensors + large[i]) & 0xffffffffu, B2S6_ERROR_FORMAT, anywhere);
    }
    alter(AT_N_CONFIG, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_N_METADATA, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_N_TENSORS, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    for (size_t i = AT_RESERVED; i < AT_CONFIG; i++)
        alter(i, 1, 1, B2S6_ERROR_FORMAT, i);
    free(file);
}

/* Bytes behind the last tensor, and a header longer than its parts, with sizes and checksums that agree. */
static void test_surplus_bytes(void)
{
    size_t size, header;
    unsigned char *file = altered_base(&size), *longer = (unsigned char *)calloc(1, size + 64);
    memcpy(longer, file, size);
    put_le(longer + AT_FILE_BYTES, size + 64, 8);
    file_seal(longer, size + 64);
    expect_altered_file(longer, size + 64, B2S6_ERROR_FORMAT, anywhere);

    header = (size_t)get_le(file + AT_HEADER_BYTES, 4);
    memset(longer, 0, size + 64);
    memcpy(longer, file, header);
    memcpy(longer + header + 64, file + header, size - header);
    put_le(longer + AT_FILE_BYTES, size + 64, 8);
    put_le(longer + AT_HEADER_BYTES, header + 64, 4);
    for (uint32_t i = 0; i < (uint32_t)get_le(file + AT_N_TENSORS, 4); i++)
        put_le(longer + file_entry(longer, i) + 32, get_le(file + file_entry(file, i) + 32, 8) + 64, 8);
    file_seal(longer, size + 64);
    expect_altered_file(longer, size + 64, B2S6_ERROR_FORMAT, anywhere);
    free(file);
    free(longer);
}

/* Bytes that fill the header up to a multiple of 64 are zero. */
static void test_header_padding(void)
{
    file_parts parts;
    size_t size, end, header, tried = 0;
    altered_parts(&parts);
    file_set_metadata(&parts, 0, "", 0);
    for (size_t bytes = 8; bytes <= 64; bytes += 8) {
        char text[64] = "a key";
        unsigned char *file;
        file_set_metadata(&parts, 1, text, bytes);
        file = file_build(&parts, &size);
        end = file_entry(file, parts.n_tensors);
        header = (size_t)get_le(file + AT_HEADER_BYTES, 4);
        expect_altered_file(file, size, B2S6_OK, anywhere);
        for (size_t at = end; at < header; at += 7, tried++) {
            file[at] = 1;
            file_seal(file, size);
            test_context("byte %zu of %zu to %zu", at, end, header);
            expect_altered_file(file, size, B2S6_ERROR_FORMAT, at);
            file[at] = 0;
        }
        free(file);
    }
    CHECK(tried > 8);
    file_free(&parts);
}

/* -------------------------------------------------------------------------------------------------------- configuration */

static void test_configuration_keys(void)
{
    file_parts parts;
    uint32_t n;
    altered_parts(&parts);
    n = parts.n_config;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = parts.config[i][0], value = parts.config[i][1];
        test_context("configuration key %u", key);
        file_remove_config(&parts, i);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* missing */
        file_insert_config(&parts, i, key, value);
        file_insert_config(&parts, i, key, value);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* twice */
        parts.config[i][0] = key | KEY_OPTIONAL;
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* twice, once as an optional key */
        file_remove_config(&parts, i);
        if (i > 0) {
            file_remove_config(&parts, i);
            file_insert_config(&parts, i - 1, key, value);
            expect_altered(&parts, B2S6_ERROR_FORMAT); /* out of order */
            file_remove_config(&parts, i - 1);
            file_insert_config(&parts, i, key, value);
        }
    }
    expect_altered(&parts, B2S6_OK);
    file_insert_config(&parts, 0, 0, 0);
    expect_altered(&parts, B2S6_ERROR_FORMAT); /* key 0 does not ascend from nothing */
    file_free(&parts);
}

/* Keys that this version does not know: skipped if they are optional, refused if not. */
static void test_unknown_configuration_keys(void)
{
    static const uint32_t unknown[] = { 19, 31, 44, 1000, 0x7fffffff };
    file_parts parts;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint32_t at = 0;
        altered_parts(&parts);
        while (at < parts.n_config && parts.config[at][0] < unknown[i])
            at++;
        test_context("unknown configuration key %u", unknown[i]);
        file_insert_config(&parts, at, unknown[i], 1);
        expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
        parts.config[at][0] |= KEY_OPTIONAL;
        expect_altered(&parts, B2S6_OK);
        file_free(&parts);
    }
}

/* Values that the format page does not allow, key by key; the list follows its table. */
static void test_configuration_values(void)
{
    static const struct { uint32_t key, value; } wrong[] = {
        { 1, 0 }, { 1, 65537 }, { 2, 0 }, { 2, 4097 }, { 3, 0 }, { 3, 3 }, { 4, 0 }, { 4, 16777217 }, { 5, 16777217 },
        { 6, 0 }, { 6, 3 }, { 7, 2 }, { 8, 4 }, { 9, 0 }, { 9, 3 }, { 10, 0x7f800000 }, { 10, 0x7fc00000 },
        { 10, 0xbf800000 }, { 10, 0x80000001 }, { 11, 4 }, { 12, 0x7f800000 }, { 12, 0xffffffff }, { 13, 3 }, { 14, 2 },
        { 15, 2 }, { 16, 0 }, { 16, 65537 }, { 16, 7 }, { 17, 1 }, { 17, 65 }, { 18, 1 }, { 18, 4 }, { 32, 0 }, { 32, 4 },
        { 32, 12 }, { 33, 0 }, { 33, 4097 }, { 34, 2 }, { 35, 0 }, { 35, 4 }, { 36, 0 }, { 36, 4 }, { 37, 0 }, { 37, 3 },
        { 38, 2 }, { 39, 0 }, { 39, 4 }, { 39, 2 }, { 40, 1 }, { 40, 65537 }, { 41, 0 }, { 41, 3 }, { 42, 2 }, { 43, 2 },
        { 1, UINT32_MAX }, { 2, UINT32_MAX }, { 4, UINT32_MAX }, { 5, UINT32_MAX }, { 16, UINT32_MAX }, { 33, UINT32_MAX },
        { 40, UINT32_MAX }, { 32, UINT32_MAX },
    };
    file_parts parts;
    altered_parts(&parts);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t at = file_find_config(&parts, wrong[i].key), kept = parts.config[at][1];
        test_context("configuration key %u is %u", wrong[i].key, wrong[i].value);
        parts.config[at][1] = wrong[i].value;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        parts.config[at][1] = kept;
    }
    expect_altered(&parts, B2S6_OK);
    file_free(&parts);
}

/* Pairs of values that are allowed each, but not together. */
static void test_configuration_contradictions(void)
{
    static const struct { uint32_t key, value, other, other_value; } wrong[] = {
        { 3, 2, 4, 65537 },  /* features wider than a width may be */
        { 7, 1, 6, 2 },      /* mamba, bidirectional */
        { 6, 2, 17, 0 },     /* mamba without convolution */
        { 14, 1, 5, 9 },     /* a tied head of another size than the vocabulary */
        { 14, 1, 3, 2 },     /* a tied head without tokens */
        { 5, 0, 15, 1 },     /* a head bias without a head */
        { 34, 0, 38, 1 },    /* complex C of a real state */
        { 39, 2, 40, 0 },    /* low rank without a rank */
        { 39, 3, 40, 2 },    /* a rank without low rank */
        { 8, 0, 10, 0x3727c5ac }, { 8, 3, 10, 0x3727c5ac }, /* an eps without a norm that has one */
        { 11, 0, 12, 0x3727c5ac }, { 11, 3, 12, 0x3727c5ac },
    };
    file_parts parts;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        altered_parts(&parts);
        test_context("configuration key %u is %u and key %u is %u", wrong[i].key, wrong[i].value, wrong[i].other,
                     wrong[i].other_value);
        parts.config[file_find_config(&parts, wrong[i].key)][1] = wrong[i].value;
        parts.config[file_find_config(&parts, wrong[i].other)][1] = wrong[i].other_value;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        file_free(&parts);
    }
}

/* ------------------------------------------------------------------------------------------------------------- metadata */

static void expect_metadata(uint32_t n, const char *strings, size_t bytes, b2s6_status expected)
{
    file_parts parts;
    altered_parts(&parts);
    file_set_metadata(&parts, n, strings, bytes);
    test_context("%u pairs in %zu bytes", n, bytes);
    expect_altered(&parts, expected);
    file_free(&parts);
}

static void test_metadata(void)
{
    expect_metadata(0, "", 0, B2S6_OK);
    expect_metadata(1, "key\0value", 10, B2S6_OK);
    expect_metadata(1, "key\0", 5, B2S6_OK); /* an empty value */
    expect_metadata(2, "a\0b\0c\0d", 8, B2S6_OK);
    expect_metadata(1, "", 0, B2S6_ERROR_FORMAT);             /* none there */
    expect_metadata(1, "abcdefgh", 8, B2S6_ERROR_FORMAT);     /* a key without end */
    expect_metadata(1, "key\0valu", 8, B2S6_ERROR_FORMAT);    /* a value without end */
    expect_metadata(1, "\0value\0", 8, B2S6_ERROR_FORMAT);    /* an empty key */
    expect_metadata(1, "a\0b\0c\0d", 8, B2S6_ERROR_FORMAT);   /* one more than is said */
    expect_metadata(3, "a\0b\0c\0d", 8, B2S6_ERROR_FORMAT);   /* one less */
    expect_metadata(2, "a\0b\0a\0d", 8, B2S6_ERROR_FORMAT);   /* the same key twice */
    expect_metadata(0, "\0\0\0\0\0\0\0", 8, B2S6_ERROR_FORMAT); /* room for none */
    for (size_t bytes = 9; bytes < 16; bytes++) { /* not a multiple of 8 */
        file_parts parts;
        altered_parts(&parts);
        file_set_metadata(&parts, 1, "key\0value", 10);
        parts.metadata_bytes = bytes;
        test_context("metadata of %zu bytes", bytes);
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        file_free(&parts);
    }
}

static const test tests[] = {
    TEST(test_header_fields), TEST(test_surplus_bytes), TEST(test_header_padding), TEST(test_configuration_keys),
    TEST(test_unknown_configuration_keys), TEST(test_configuration_values), TEST(test_configuration_contradictions),
    TEST(test_metadata),
};
const test_suite suite_structure = TEST_SUITE("structure", tests);
