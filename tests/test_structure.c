/*
 * test_structure.c - model files that are whole and sealed but not what docs/format.md allows: header, configuration, metadata
 *
 * Each test alters one thing of a valid file and names the status that the loader must give, and where it matters the offset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "altered.h"
#include "model_file.h"
#include "subjects.h"
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
    static const uint64_t versions[] = { 0, 1, 3, 255, 256, 0x01000000, 0xffffffff };
    static const uint64_t large[] = { 1, 7, 8, 64, 0x7fffffff, 0x80000000u, 0xffffffc0u, 0xffffffffu };
    for (size_t i = 0; i < 8; i++)
        alter(AT_MAGIC + i, 1, file[AT_MAGIC + i] ^ 0x20u, B2S6_ERROR_MAGIC, 0);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        alter(AT_VERSION, 4, versions[i], B2S6_ERROR_VERSION, AT_VERSION);
    for (uint64_t arithmetic = 0; arithmetic < 5; arithmetic++) /* a definition that this library does not compute by */
        if (arithmetic != 2)
            alter(AT_FILE_ARITHMETIC, 4, arithmetic, B2S6_ERROR_VERSION, AT_FILE_ARITHMETIC);
    alter(AT_FILE_ARITHMETIC, 4, 0x02000000, B2S6_ERROR_VERSION, AT_FILE_ARITHMETIC);
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
        alter(AT_N_ENTRIES, 4, large[i], B2S6_ERROR_FORMAT, anywhere);
    }
    alter(AT_N_CONFIG, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_N_METADATA, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    alter(AT_N_TENSORS, 4, 0, B2S6_ERROR_FORMAT, anywhere);
    for (size_t i = AT_RESERVED; i < AT_CONFIG; i++)
        alter(i, 1, 1, B2S6_ERROR_FORMAT, i);
    free(file);
}

/* Bytes after the last tensor, and a header longer than its parts, with sizes and checksums that agree. */
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

/* Where a key belongs among the configuration's entries. */
static uint32_t place_of_key(const file_parts *parts, uint32_t key)
{
    uint32_t at = 0;
    while (at < parts->n_config && (parts->config[at][0] & ~KEY_OPTIONAL) < (key & ~KEY_OPTIONAL))
        at++;
    return at;
}

static void test_configuration_keys(void)
{
    file_parts parts;
    uint32_t n;
    altered_parts(&parts);
    n = parts.n_config;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = parts.config[i][0], value = parts.config[i][1];
        test_context("configuration key %u of section %u", key & 0xffff, key >> 16);
        file_remove_config(&parts, i);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* missing */
        file_insert_config(&parts, i, key, value);
        parts.config[i][0] = key | KEY_OPTIONAL;
        expect_altered(&parts, B2S6_OK); /* who knows a key reads it */
        parts.config[i][0] = key;
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
    static const uint32_t unknown[] = {
        KEY(0, 11), KEY(0, 16), KEY(0, 32), KEY(0, 0xffff), KEY(1, 0), KEY(1, 5), KEY(1, 18), KEY(1, 20), KEY(1, 31),
        KEY(1, 45), KEY(1, 0xffff), KEY(2, 0), KEY(2, 33), KEY(2, 45), /* a layer without a block of its own has no key */
    };
    file_parts parts;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint32_t at;
        altered_parts(&parts);
        at = place_of_key(&parts, unknown[i]);
        test_context("unknown configuration key %u of section %u", unknown[i] & 0xffff, unknown[i] >> 16);
        file_insert_config(&parts, at, unknown[i], 1);
        expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
        parts.config[at][0] |= KEY_OPTIONAL;
        expect_altered(&parts, B2S6_OK);
        file_free(&parts);
    }
}

/* Sections that are no layers of the model, which has two. */
static void test_configuration_of_no_layer(void)
{
    static const uint32_t beyond[] = { KEY(3, 0), KEY(3, 1), KEY(3, 33), KEY(4096, 1), KEY(4097, 1), KEY(0x7fff, 0xffff) };
    file_parts parts;
    altered_parts(&parts);
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        test_context("configuration key %u of section %u", beyond[i] & 0xffff, beyond[i] >> 16);
        file_insert_config(&parts, parts.n_config, beyond[i], 1);
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        parts.config[parts.n_config - 1][0] |= KEY_OPTIONAL;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        file_remove_config(&parts, parts.n_config - 1);
    }
    file_free(&parts);
}

/* Layers (the model has two): as the one before, or all of their own; never a part of them, and never another block's. */
static void test_configuration_of_layers(void)
{
    file_parts parts;
    uint32_t first, n, end;
    altered_parts(&parts);
    first = place_of_key(&parts, KEY(1, 0));
    end = n = parts.n_config;
    CHECK_EQUAL_INT(0, place_of_key(&parts, KEY(2, 0)) != n); /* the second has nothing of its own */
    for (uint32_t i = first; i < n; i++) { /* all of it again is the same model */
        file_insert_config(&parts, end++, parts.config[i][0] + KEY(1, 0), parts.config[i][1]);
        test_context("the second layer has %u of %u keys", i + 1 - first, n - first);
        expect_altered(&parts, i + 1 == n ? B2S6_OK : B2S6_ERROR_FORMAT);
    }
    for (uint32_t number = 17; number <= 19; number++) { /* of mamba blocks */
        uint32_t at = place_of_key(&parts, KEY(2, number));
        test_context("the second layer, of s4, has key %u", number);
        file_insert_config(&parts, at, KEY(2, number), 1);
        expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
        file_remove_config(&parts, at);
    }
    while (first < n--) /* the first layer without any */
        file_remove_config(&parts, first);
    test_context("the first layer has no configuration");
    expect_altered(&parts, B2S6_ERROR_FORMAT);
    file_free(&parts);
}

/* Values that the format page does not allow, key by key; the list follows its tables. */
static void test_configuration_values(void)
{
    static const struct { uint32_t key, value; } wrong[] = {
        { 1, 0 }, { 1, 65537 }, { 2, 0 }, { 2, 4097 }, { 3, 0 }, { 3, 3 }, { 4, 0 }, { 4, 16777217 }, { 5, 16777217 },
        { 6, 2 }, { 7, 2 }, { 8, 4 }, { 9, 0x7f800000 }, { 9, 0x7fc00000 }, { 9, 0xbf800000 }, { 9, 0x80000001 },
        { 9, 0xffffffff }, { 10, 3 }, { 1, UINT32_MAX }, { 2, UINT32_MAX }, { 4, UINT32_MAX }, { 5, UINT32_MAX },
        { KEY(1, 1), 0 }, { KEY(1, 1), 5 }, { KEY(1, 2), 4 }, { KEY(1, 3), 0 }, { KEY(1, 3), 3 }, { KEY(1, 4), 0x7f800000 },
        { KEY(1, 4), 0x7fc00000 }, { KEY(1, 4), 0xbf800000 }, { KEY(1, 4), 0x80000001 }, { KEY(1, 16), 2 },
        { KEY(1, 32), 0 }, { KEY(1, 32), 4 }, { KEY(1, 32), 12 }, { KEY(1, 32), UINT32_MAX }, { KEY(1, 33), 0 },
        { KEY(1, 33), 4097 }, { KEY(1, 33), UINT32_MAX }, { KEY(1, 34), 2 }, { KEY(1, 35), 0 }, { KEY(1, 35), 4 },
        { KEY(1, 36), 0 }, { KEY(1, 36), 4 }, { KEY(1, 37), 0 }, { KEY(1, 37), 3 }, { KEY(1, 38), 2 }, { KEY(1, 39), 0 },
        { KEY(1, 39), 4 }, { KEY(1, 39), 2 }, { KEY(1, 40), 1 }, { KEY(1, 40), 65537 }, { KEY(1, 40), UINT32_MAX },
        { KEY(1, 41), 0 }, { KEY(1, 41), 3 }, { KEY(1, 42), 2 }, { KEY(1, 43), 2 }, { KEY(1, 44), 0 }, { KEY(1, 44), 3 },
    };
    file_parts parts;
    altered_parts(&parts);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t at = file_find_config(&parts, wrong[i].key), kept = parts.config[at][1];
        test_context("configuration key %u of section %u is %u", wrong[i].key & 0xffff, wrong[i].key >> 16, wrong[i].value);
        CHECK(at < parts.n_config);
        parts.config[at][1] = wrong[i].value;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        parts.config[at][1] = kept;
    }
    expect_altered(&parts, B2S6_OK);
    file_free(&parts);
}

/* The same for what only mamba blocks have. */
static void test_configuration_values_of_mamba(void)
{
    static const struct { uint32_t number, value; } wrong[] = {
        { 17, 0 }, { 17, 65537 }, { 17, 7 }, { 17, UINT32_MAX }, { 18, 0 }, { 18, 65 }, { 19, 4 },
    };
    random_source random = { 4 };
    trained_model model;
    unsigned char *file;
    file_parts parts;
    size_t size;
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 6, 2, 2);
    model.config.block = B2S6_BLOCK_MAMBA;
    model.config.d_conv = 3;
    generate_tensors(&model, &random);
    file = convert_trained(&model, &size);
    file_take_apart(&parts, file);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t at = file_find_config(&parts, KEY(1, wrong[i].number)), kept = parts.config[at][1];
        test_context("configuration key %u is %u", wrong[i].number, wrong[i].value);
        CHECK(at < parts.n_config);
        parts.config[at][1] = wrong[i].value;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        parts.config[at][1] = kept;
    }
    test_context("an s4 block's key in a mamba block");
    file_insert_config(&parts, place_of_key(&parts, KEY(1, 16)), KEY(1, 16), 0);
    expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
    file_free(&parts);
    free(file);
    trained_free(&model);
}

/* Pairs of values that are allowed each, but not together. */
static void test_configuration_contradictions(void)
{
    static const struct { uint32_t key, value, other, other_value; } wrong[] = {
        { 3, 2, 4, 65537 },                /* features wider than a width may be */
        { 7, 1, 5, 9 },                    /* a tied head of another size than the vocabulary */
        { 7, 1, 3, 2 },                    /* a tied head without tokens */
        { 5, 0, 6, 1 },                    /* a head bias without a head */
        { KEY(1, 34), 0, KEY(1, 38), 1 },  /* complex C of a real state */
        { KEY(1, 39), 2, KEY(1, 40), 0 },  /* low rank without a rank */
        { KEY(1, 39), 3, KEY(1, 40), 2 },  /* a rank without low rank */
        { KEY(1, 2), 0, KEY(1, 4), 0x3727c5ac }, { KEY(1, 2), 3, KEY(1, 4), 0x3727c5ac }, /* an eps that no norm uses */
        { 8, 0, 9, 0x3727c5ac }, { 8, 3, 9, 0x3727c5ac },
    };
    file_parts parts;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        altered_parts(&parts);
        test_context("configuration key %x is %u and key %x is %u", wrong[i].key, wrong[i].value, wrong[i].other,
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

/* A file of libb2s6 0.1, as it was shipped: its error says what it is and what to do. */
static void test_version_1(void)
{
    char path[1024];
    b2s6_error error;
    b2s6_model *model;
    snprintf(path, sizeof path, "%s/old-0.1.b2s6", tests_folder);
    CHECK_STATUS(B2S6_ERROR_VERSION, b2s6_model_open_file(&model, path, NULL, &error));
    CHECK(model == NULL);
    CHECK_EQUAL_U64(AT_VERSION, error.offset);
    CHECK(strstr(error.message, "format version 1, of libb2s6 0.1: convert the checkpoint again") != NULL);
}

/* At most 1,024 pairs and 262,144 bytes. */
static void test_metadata_limits(void)
{
    enum { PAIRS = 1025, BYTES = 262144 };
    char *strings = (char *)calloc(1, BYTES + 16);
    CHECK(strings != NULL);
    for (int i = 0; i < PAIRS; i++) { /* keys 0000 .. 1024, values empty: 6 bytes a pair */
        char key[6];
        snprintf(key, sizeof key, "%04d", i);
        memcpy(strings + 6 * i, key, 5);
    }
    expect_metadata(PAIRS - 1, strings, 6 * (PAIRS - 1), B2S6_OK);
    expect_metadata(PAIRS, strings, 6 * PAIRS, B2S6_ERROR_FORMAT);
    memset(strings, 'x', BYTES + 7);
    strings[1] = 0; /* the key x, and a value that fills the rest */
    expect_metadata(1, strings, BYTES + 8, B2S6_ERROR_FORMAT);
    strings[BYTES - 1] = 0;
    expect_metadata(1, strings, BYTES, B2S6_OK);
    free(strings);
}

static const test tests[] = {
    TEST(test_header_fields), TEST(test_surplus_bytes), TEST(test_header_padding), TEST(test_configuration_keys),
    TEST(test_unknown_configuration_keys), TEST(test_configuration_of_layers),
    TEST(test_configuration_of_no_layer), TEST(test_configuration_values),
    TEST(test_configuration_values_of_mamba), TEST(test_configuration_contradictions), TEST(test_metadata),
    TEST(test_metadata_limits), TEST(test_version_1),
};
const test_suite suite_structure = TEST_SUITE("structure", tests);
