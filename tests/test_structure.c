/*
 * test_structure.c - model files that are whole and sealed but not what docs/format.md allows: header fields, configuration,
 * metadata, tensor table
 *
 * Each test alters one thing of a valid file and names the status that the loader must give, and where it matters the offset.
 */
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "guard.h"
#include "model_file.h"
#include "subjects.h"
#include "suites.h"

static const uint64_t anywhere = UINT64_MAX; /* for an offset that a test does not prescribe */

/* Opens a copy of the file in guarded memory; status and offset must be as expected. */
static void expect_file(const unsigned char *file, size_t size, b2s6_status expected, uint64_t offset)
{
    b2s6_error error;
    guard g;
    guard_make(&g, size);
    CHECK_STATUS(expected, attempt_use(guard_copy(&g, file, size), size, 0, &error));
    if (offset != anywhere)
        CHECK_EQUAL_U64(offset, error.offset);
    guard_free(&g);
}

static void expect(const file_parts *parts, b2s6_status expected)
{
    size_t size;
    unsigned char *file = file_build(parts, &size);
    expect_file(file, size, expected, anywhere);
    free(file);
}

static unsigned char *base_file(size_t *size)
{
    random_source random = { 4 };
    trained_model model;
    unsigned char *file;
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 6, 2, 2);
    model.config.unit.a_scope = B2S6_SCOPE_CHANNEL;
    model.config.norm = B2S6_NORM_RMS;
    generate_tensors(&model, &random);
    file = convert_trained(&model, size);
    trained_free(&model);
    return file;
}

static void base_parts(file_parts *parts)
{
    size_t size;
    unsigned char *file = base_file(&size);
    file_take_apart(parts, file);
    free(file);
}

/* -------------------------------------------------------------------------------------------------------- header fields */

/* One field of the header overwritten, then sealed. */
static void alter(size_t at, size_t width, uint64_t value, b2s6_status expected, uint64_t offset)
{
    size_t size;
    unsigned char *file = base_file(&size);
    test_context("%zu bytes at %zu become %llu", width, at, (unsigned long long)value);
    put_le(file + at, value, width);
    file_seal_header(file, size);
    expect_file(file, size, expected, offset);
    free(file);
}

static void test_header_fields(void)
{
    size_t size;
    unsigned char *file = base_file(&size);
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
    unsigned char *file = base_file(&size), *longer = (unsigned char *)calloc(1, size + 64);
    memcpy(longer, file, size);
    put_le(longer + AT_FILE_BYTES, size + 64, 8);
    file_seal(longer, size + 64);
    expect_file(longer, size + 64, B2S6_ERROR_FORMAT, anywhere);

    header = (size_t)get_le(file + AT_HEADER_BYTES, 4);
    memset(longer, 0, size + 64);
    memcpy(longer, file, header);
    memcpy(longer + header + 64, file + header, size - header);
    put_le(longer + AT_FILE_BYTES, size + 64, 8);
    put_le(longer + AT_HEADER_BYTES, header + 64, 4);
    for (uint32_t i = 0; i < (uint32_t)get_le(file + AT_N_TENSORS, 4); i++)
        put_le(longer + file_entry(longer, i) + 32, get_le(file + file_entry(file, i) + 32, 8) + 64, 8);
    file_seal(longer, size + 64);
    expect_file(longer, size + 64, B2S6_ERROR_FORMAT, anywhere);
    free(file);
    free(longer);
}

/* -------------------------------------------------------------------------------------------------------- configuration */

static void test_configuration_keys(void)
{
    file_parts parts;
    uint32_t n;
    base_parts(&parts);
    n = parts.n_config;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = parts.config[i][0], value = parts.config[i][1];
        test_context("configuration key %u", key);
        file_remove_config(&parts, i);
        expect(&parts, B2S6_ERROR_FORMAT); /* missing */
        file_insert_config(&parts, i, key, value);
        file_insert_config(&parts, i, key, value);
        expect(&parts, B2S6_ERROR_FORMAT); /* twice */
        parts.config[i][0] = key | KEY_OPTIONAL;
        expect(&parts, B2S6_ERROR_FORMAT); /* twice, once as an optional key */
        file_remove_config(&parts, i);
        if (i > 0) {
            file_remove_config(&parts, i);
            file_insert_config(&parts, i - 1, key, value);
            expect(&parts, B2S6_ERROR_FORMAT); /* out of order */
            file_remove_config(&parts, i - 1);
            file_insert_config(&parts, i, key, value);
        }
    }
    expect(&parts, B2S6_OK);
    file_insert_config(&parts, 0, 0, 0);
    expect(&parts, B2S6_ERROR_FORMAT); /* key 0 does not ascend from nothing */
    file_free(&parts);
}

/* Keys that this version does not know: skipped if they are optional, refused if not. */
static void test_unknown_configuration_keys(void)
{
    static const uint32_t unknown[] = { 19, 31, 44, 1000, 0x7fffffff };
    file_parts parts;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint32_t at = 0;
        base_parts(&parts);
        while (at < parts.n_config && parts.config[at][0] < unknown[i])
            at++;
        test_context("unknown configuration key %u", unknown[i]);
        file_insert_config(&parts, at, unknown[i], 1);
        expect(&parts, B2S6_ERROR_UNSUPPORTED);
        parts.config[at][0] |= KEY_OPTIONAL;
        expect(&parts, B2S6_OK);
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
    base_parts(&parts);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t at = file_find_config(&parts, wrong[i].key), kept = parts.config[at][1];
        test_context("configuration key %u is %u", wrong[i].key, wrong[i].value);
        parts.config[at][1] = wrong[i].value;
        expect(&parts, B2S6_ERROR_FORMAT);
        parts.config[at][1] = kept;
    }
    expect(&parts, B2S6_OK);
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
        base_parts(&parts);
        test_context("configuration key %u is %u and key %u is %u", wrong[i].key, wrong[i].value, wrong[i].other,
                     wrong[i].other_value);
        parts.config[file_find_config(&parts, wrong[i].key)][1] = wrong[i].value;
        parts.config[file_find_config(&parts, wrong[i].other)][1] = wrong[i].other_value;
        expect(&parts, B2S6_ERROR_FORMAT);
        file_free(&parts);
    }
}

/* ------------------------------------------------------------------------------------------------------------- metadata */

static void expect_metadata(uint32_t n, const char *strings, size_t bytes, b2s6_status expected)
{
    file_parts parts;
    base_parts(&parts);
    file_set_metadata(&parts, n, strings, bytes);
    test_context("%u pairs in %zu bytes", n, bytes);
    expect(&parts, expected);
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
}

/* --------------------------------------------------------------------------------------------------------- tensor table */

/* Makes a tensor of these dimensions, filled with zeros. */
static void reshape(file_tensor *t, uint32_t count, uint32_t rows, uint32_t cols)
{
    t->count = count;
    t->rows = rows;
    t->cols = cols;
    t->bytes = 4 * (uint64_t)count * (t->layout == LAYOUT_PANELS ? (rows + 15) / 16 * 16 : rows) * cols;
    free(t->data);
    t->data = (unsigned char *)calloc((size_t)t->bytes + 1, 1);
}

static void test_tensors_missing_twice_or_moved(void)
{
    file_parts parts;
    uint32_t n;
    base_parts(&parts);
    n = parts.n_tensors;
    file_free(&parts);
    for (uint32_t i = 0; i < n; i++) {
        base_parts(&parts);
        test_context("tensor %u (section %u, role %u)", i, parts.tensors[i].section, parts.tensors[i].role);
        file_insert_tensor(&parts, i, &parts.tensors[i], parts.tensors[i].data);
        expect(&parts, B2S6_ERROR_TENSOR); /* twice */
        parts.tensors[i].flags = TENSOR_OPTIONAL;
        expect(&parts, B2S6_ERROR_TENSOR); /* once as optional */
        file_remove_tensor(&parts, i);
        parts.tensors[i].flags = TENSOR_OPTIONAL;
        expect(&parts, B2S6_ERROR_TENSOR); /* a tensor that is needed marked as one that is not */
        parts.tensors[i].flags = 0;
        if (i + 1 < n) {
            file_tensor kept = parts.tensors[i];
            parts.tensors[i] = parts.tensors[i + 1];
            parts.tensors[i + 1] = kept;
            expect(&parts, B2S6_ERROR_TENSOR); /* out of order */
            parts.tensors[i + 1] = parts.tensors[i];
            parts.tensors[i] = kept;
        }
        file_remove_tensor(&parts, i);
        expect(&parts, B2S6_ERROR_TENSOR); /* missing */
        file_free(&parts);
    }
}

static void test_tensors_of_wrong_shape(void)
{
    file_parts parts;
    uint32_t n;
    base_parts(&parts);
    n = parts.n_tensors;
    file_free(&parts);
    for (uint32_t i = 0; i < n; i++)
        for (int change = 0; change < 9; change++) {
            file_tensor *t;
            base_parts(&parts);
            t = &parts.tensors[i];
            test_context("tensor %u (section %u, role %u), change %d", i, t->section, t->role, change);
            if (change == 0)
                reshape(t, t->count + 1, t->rows, t->cols);
            if (change == 1)
                reshape(t, t->count, t->rows + 1, t->cols);
            if (change == 2)
                reshape(t, t->count, t->rows, t->cols + 1);
            if (change == 3 && t->cols > 1)
                reshape(t, t->count, t->rows, t->cols - 1);
            else if (change == 3)
                reshape(t, t->count, t->rows, 0); /* nothing at all */
            if (change == 4)
                reshape(t, 0, t->rows, t->cols);
            if (change == 5)
                reshape(t, t->count, t->rows + 16, t->cols);
            if (change == 6)
                t->bytes -= 4; /* fewer bytes than the shape needs */
            if (change == 7) { /* another layout, with as many bytes as that needs */
                t->layout = t->layout == LAYOUT_PLAIN ? LAYOUT_PANELS : LAYOUT_PLAIN;
                reshape(t, t->count, t->rows, t->cols);
            }
            if (change == 8) { /* as many bytes, in other dimensions; the table has no room for a transposed one of one */
                uint32_t rows = t->rows;
                t->layout = LAYOUT_PLAIN;
                reshape(t, t->cols, rows, t->count);
                if (t->count == t->cols) {
                    file_free(&parts);
                    continue;
                }
            }
            expect(&parts, B2S6_ERROR_TENSOR);
            file_free(&parts);
        }
}

/* Dimensions whose product wraps around to the bytes that are there. */
static void test_tensor_sizes_wrap(void)
{
    static const uint32_t dimensions[][3] = {
        { 0x10000, 0x10000, 0x10000 }, { 0x80000000u, 0x80000000u, 4 }, { 0xffffffffu, 0xffffffffu, 0xffffffffu },
        { 1, 0xffffffffu, 1 }, { 1, 1, 0xffffffffu }, { 0xffffffffu, 1, 1 }, { 0x40000000, 1, 4 }, { 4, 1, 0x40000000 },
        { 0x20000, 0x20000, 0x40000000 }, { 1, 0xfffffff1u, 16 }, { 0x10000000, 0x10000000, 0x10000000 },
    };
    size_t size;
    unsigned char *file = base_file(&size);
    uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof dimensions / sizeof dimensions[0]; k++)
            for (int wrapped = 0; wrapped < 2; wrapped++) {
                unsigned char *copy = (unsigned char *)malloc(size), *entry;
                uint64_t bytes = 4;
                memcpy(copy, file, size);
                entry = copy + file_entry(copy, i);
                for (size_t axis = 0; axis < 3; axis++) {
                    put_le(entry + 16 + 4 * axis, dimensions[k][axis], 4);
                    bytes *= dimensions[k][axis]; /* modulo 2^64, as a careless loader has it */
                }
                if (wrapped)
                    put_le(entry + 40, bytes, 8);
                file_seal(copy, size);
                test_context("tensor %u, dimensions %zu", i, k);
                {
                    b2s6_error error;
                    guard g;
                    b2s6_status status;
                    guard_make(&g, size);
                    status = attempt_use(guard_copy(&g, copy, size), size, 0, &error);
                    CHECK(status == B2S6_ERROR_TENSOR || status == B2S6_ERROR_FORMAT);
                    guard_free(&g);
                }
                free(copy);
            }
    free(file);
}

/* One field of a tensor's entry overwritten. */
static void alter_entry(uint32_t i, size_t at, size_t width, uint64_t value, int relative, b2s6_status expected)
{
    size_t size, entry;
    unsigned char *file = base_file(&size);
    entry = file_entry(file, i);
    put_le(file + entry + at, relative ? get_le(file + entry + at, width) + value : value, width);
    file_seal_header(file, size);
    test_context("tensor %u, field at %zu altered by or to %llu", i, at, (unsigned long long)value);
    expect_file(file, size, expected, anywhere);
    free(file);
}

static void test_tensor_fields(void)
{
    static const uint64_t steps[] = { 1, 4, 64, 1 << 20, (uint64_t)1 << 32, (uint64_t)1 << 63, (uint64_t)-64, (uint64_t)-4 };
    size_t size;
    unsigned char *file = base_file(&size);
    uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
    free(file);
    for (uint32_t i = 0; i < n; i++) {
        alter_entry(i, 2, 2, 2, 0, B2S6_ERROR_FORMAT); /* unknown flags */
        alter_entry(i, 2, 2, 0x8000, 0, B2S6_ERROR_FORMAT);
        alter_entry(i, 8, 4, 0, 0, B2S6_ERROR_UNSUPPORTED); /* types and layouts of another day */
        alter_entry(i, 8, 4, 2, 0, B2S6_ERROR_UNSUPPORTED);
        alter_entry(i, 12, 4, 0, 0, B2S6_ERROR_UNSUPPORTED);
        alter_entry(i, 12, 4, 3, 0, B2S6_ERROR_UNSUPPORTED);
        alter_entry(i, 28, 4, 1, 0, B2S6_ERROR_FORMAT); /* reserved */
        alter_entry(i, 32, 8, 0, 0, B2S6_ERROR_FORMAT); /* into the header */
        alter_entry(i, 32, 8, UINT64_MAX, 0, B2S6_ERROR_FORMAT);
        alter_entry(i, 40, 8, UINT64_MAX, 0, B2S6_ERROR_FORMAT);
        alter_entry(i, 40, 8, size, 0, B2S6_ERROR_FORMAT); /* beyond the end */
        alter_entry(i, 40, 8, 0, 0, B2S6_ERROR_TENSOR);
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++)
            alter_entry(i, 32, 8, steps[k], 1, B2S6_ERROR_FORMAT);
        alter_entry(i, 40, 8, 1, 1, i + 1 < n ? B2S6_ERROR_TENSOR : B2S6_ERROR_FORMAT); /* the last one leaves the file */
    }
}

/* Tensors that this version does not know: skipped if they are optional, whatever they hold, refused if not. */
static void test_unknown_tensors(void)
{
    static const struct { uint32_t section, role; } unknown[] = {
        { 0, 0x7fff }, { 0, 50 }, { 1, 1 }, { 1, 15 }, { 1, 33 }, { 1, 74 }, { 2, 200 }, { 3, 1 }, { 3, 200 }, { 4, 1 },
        { 0xffffffffu, 0xffffu },
    };
    float rows[2][4 * 10];
    opened_model opened;
    size_t size;
    unsigned char *file = base_file(&size);
    const int32_t tokens[] = { 1, 19, 0, 7 };
    model_input input = { 4, NULL, NULL };
    input.tokens = (int32_t *)malloc(sizeof tokens);
    memcpy(input.tokens, tokens, sizeof tokens);
    open_bytes(&opened, file, size);
    run_whole(&opened, &input, 0, rows[0]);
    close_model(&opened);
    free(file);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        file_tensor t = { 0, 0, 0, 1, 1, 1, 1, 16, 0, 64, NULL };
        unsigned char data[64];
        file_parts parts;
        uint32_t at = 0;
        memset(data, 0xff, sizeof data); /* NaNs, if anyone read them */
        t.section = unknown[i].section;
        t.role = unknown[i].role;
        base_parts(&parts);
        while (at < parts.n_tensors && (parts.tensors[at].section < t.section ||
                                        (parts.tensors[at].section == t.section && parts.tensors[at].role < t.role)))
            at++;
        test_context("unknown tensor, section %u, role %u", t.section, t.role);
        file_insert_tensor(&parts, at, &t, data);
        expect(&parts, B2S6_ERROR_UNSUPPORTED);
        parts.tensors[at].flags = TENSOR_OPTIONAL;
        for (int form = 0; form < 3; form++) {
            if (form == 1) {
                parts.tensors[at].type = parts.tensors[at].layout = 77; /* of a type that only its reader knows */
                parts.tensors[at].bytes = 3;
            }
            if (form == 2)
                parts.tensors[at].bytes = 0;
            expect(&parts, B2S6_OK);
            file = file_build(&parts, &size);
            open_bytes(&opened, file, size);
            run_whole(&opened, &input, 0, rows[1]);
            CHECK_BITS(rows[0], rows[1], 40);
            close_model(&opened);
            free(file);
        }
        file_free(&parts);
    }
    input_free(&input);
}

static const test tests[] = {
    TEST(test_header_fields), TEST(test_surplus_bytes), TEST(test_configuration_keys), TEST(test_unknown_configuration_keys),
    TEST(test_configuration_values), TEST(test_configuration_contradictions), TEST(test_metadata),
    TEST(test_tensors_missing_twice_or_moved), TEST(test_tensors_of_wrong_shape), TEST(test_tensor_sizes_wrap),
    TEST(test_tensor_fields), TEST(test_unknown_tensors),
};
const test_suite suite_structure = TEST_SUITE("structure", tests);
