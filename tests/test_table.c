/*
 * test_table.c - model files that are whole and sealed, but whose tensor table is not what docs/format.md allows
 *
 * Each test alters one thing of a valid file and names the status that the loader must give.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "altered.h"
#include "attempt.h"
#include "guard.h"
#include "model_file.h"
#include "subjects.h"
#include "suites.h"

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
    altered_parts(&parts);
    n = parts.n_tensors;
    file_free(&parts);
    for (uint32_t i = 0; i < n; i++) {
        altered_parts(&parts);
        test_context("tensor %u (section %u, role %u)", i, parts.tensors[i].section, parts.tensors[i].role);
        file_insert_tensor(&parts, i, &parts.tensors[i], parts.tensors[i].data);
        expect_altered(&parts, B2S6_ERROR_TENSOR); /* twice */
        parts.tensors[i].flags = TENSOR_OPTIONAL;
        expect_altered(&parts, B2S6_ERROR_TENSOR); /* once as optional */
        file_remove_tensor(&parts, i);
        parts.tensors[i].flags = TENSOR_OPTIONAL;
        expect_altered(&parts, B2S6_ERROR_TENSOR); /* a tensor that is needed marked as one that is not */
        parts.tensors[i].flags = 0;
        if (i + 1 < n) {
            file_tensor kept = parts.tensors[i];
            parts.tensors[i] = parts.tensors[i + 1];
            parts.tensors[i + 1] = kept;
            expect_altered(&parts, B2S6_ERROR_TENSOR); /* out of order */
            parts.tensors[i + 1] = parts.tensors[i];
            parts.tensors[i] = kept;
        }
        file_remove_tensor(&parts, i);
        expect_altered(&parts, B2S6_ERROR_TENSOR); /* missing */
        file_free(&parts);
    }
}

static void test_tensors_of_wrong_shape(void)
{
    file_parts parts;
    uint32_t n;
    altered_parts(&parts);
    n = parts.n_tensors;
    file_free(&parts);
    for (uint32_t i = 0; i < n; i++)
        for (int change = 0; change < 9; change++) {
            file_tensor *t;
            altered_parts(&parts);
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
            expect_altered(&parts, B2S6_ERROR_TENSOR);
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
    unsigned char *file = altered_base(&size);
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
    unsigned char *file = altered_base(&size);
    entry = file_entry(file, i);
    put_le(file + entry + at, relative ? get_le(file + entry + at, width) + value : value, width);
    file_seal_header(file, size);
    test_context("tensor %u, field at %zu altered by or to %llu", i, at, (unsigned long long)value);
    expect_altered_file(file, size, expected, anywhere);
    free(file);
}

static void test_tensor_fields(void)
{
    static const uint64_t steps[] = { 1, 4, 64, 1 << 20, (uint64_t)1 << 32, (uint64_t)1 << 63, (uint64_t)-64, (uint64_t)-4 };
    size_t size;
    unsigned char *file = altered_base(&size);
    uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
    free(file);
    for (uint32_t i = 0; i < n; i++) {
        alter_entry(i, 2, 2, 2, 0, B2S6_ERROR_FORMAT); /* unknown flags */
        alter_entry(i, 2, 2, 0x8000, 0, B2S6_ERROR_FORMAT);
        alter_entry(i, 8, 4, 0, 0, B2S6_ERROR_UNSUPPORTED); /* types and layouts of another day */
        alter_entry(i, 8, 4, 5, 0, B2S6_ERROR_UNSUPPORTED);
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

/* A file that ends with a tensor, or in the padding after it, and says so: what follows in the table has no place. */
static void test_file_ends_early(void)
{
    size_t whole;
    unsigned char *file = altered_base(&whole);
    uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *entry = file + file_entry(file, i);
        size_t end = (size_t)(get_le(entry + 32, 8) + get_le(entry + 40, 8));
        for (size_t size = end; size < (end + 63) / 64 * 64 + (i + 1 < n); size++) {
            unsigned char *cut = (unsigned char *)malloc(size);
            memcpy(cut, file, size);
            put_le(cut + AT_FILE_BYTES, size, 8);
            file_seal(cut, size);
            test_context("%zu bytes, to the end of tensor %u or little further", size, i);
            expect_altered_file(cut, size, B2S6_ERROR_FORMAT, anywhere);
            free(cut);
        }
    }
    free(file);
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
    unsigned char *file = altered_base(&size);
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
        altered_parts(&parts);
        while (at < parts.n_tensors && (parts.tensors[at].section < t.section ||
                                        (parts.tensors[at].section == t.section && parts.tensors[at].role < t.role)))
            at++;
        test_context("unknown tensor, section %u, role %u", t.section, t.role);
        file_insert_tensor(&parts, at, &t, data);
        expect_altered(&parts, B2S6_ERROR_UNSUPPORTED);
        parts.tensors[at].flags = TENSOR_OPTIONAL;
        for (int form = 0; form < 3; form++) {
            if (form == 1) {
                parts.tensors[at].type = parts.tensors[at].layout = 77; /* of a type that only its reader knows */
                parts.tensors[at].bytes = 3;
            }
            if (form == 2)
                parts.tensors[at].bytes = 0;
            expect_altered(&parts, B2S6_OK);
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

/* ------------------------------------------------------------------------------------------------------- named entries */

/* The valid file with three entries: the first of one byte, the second of a line, the last longer than one. */
static void parts_with_entries(file_parts *parts)
{
    static const unsigned char bytes[100] = { 1, 2, 3 };
    altered_parts(parts);
    file_insert_named(parts, 0, "A", bytes, 1);
    file_insert_named(parts, 1, "tokens", bytes, 64);
    file_insert_named(parts, 2, "\xc3\xa9tiquettes of 23 bytes", bytes, sizeof bytes);
}

static void test_named_entries(void)
{
    file_parts parts;
    parts_with_entries(&parts);
    CHECK_EQUAL_INT(23, (int)strlen((const char *)parts.entries[2].name));
    expect_altered(&parts, B2S6_OK);
    for (uint32_t i = 0; i < 3; i++) {
        file_named *named = &parts.entries[i], kept = *named;
        test_context("named entry %u", i);
        file_insert_named(&parts, i, (const char *)named->name, named->data, (size_t)named->bytes);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* twice */
        file_remove_named(&parts, i);
        named = &parts.entries[i];
        memset(named->name, 0, 24);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* no name */
        memset(named->name, 'B' + (int)i, 24);
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* a name without end */
        memcpy(named->name, kept.name, 24);
        named->name[23] = 'x';
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* bytes after the name's end, or none of it */
        memcpy(named->name, kept.name, 24);
        named->reserved = 1;
        expect_altered(&parts, B2S6_ERROR_FORMAT);
        named->reserved = 0;
        named->bytes = 0;
        expect_altered(&parts, B2S6_ERROR_FORMAT); /* nothing in it */
        named->bytes = kept.bytes;
        expect_altered(&parts, B2S6_OK);
    }
    memcpy(parts.entries[0].name, "z", 2); /* before "tokens": out of order */
    expect_altered(&parts, B2S6_ERROR_FORMAT);
    file_free(&parts);
}

/* Places and sizes, written over a finished file. */
static void test_named_entry_places(void)
{
    static const uint64_t steps[] = { 1, 63, 64, (uint64_t)-64, (uint64_t)-1, 1u << 20, (uint64_t)1 << 40, (uint64_t)1 << 63 };
    file_parts parts;
    unsigned char *file, *copy;
    size_t size;
    parts_with_entries(&parts);
    file = file_build(&parts, &size);
    copy = (unsigned char *)malloc(size);
    CHECK(copy != NULL);
    for (uint32_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++)
            for (size_t field = 32; field <= 40; field += 8) {
                size_t at = file_named_entry(file, i) + field;
                uint64_t value = get_le(file + at, 8) + steps[k];
                if (field == 40 && (value + 63) / 64 == (value - steps[k] + 63) / 64 && value != 0 && value < 1u << 20)
                    continue; /* a byte of padding more is a byte of the entry */
                memcpy(copy, file, size);
                put_le(copy + at, value, 8);
                file_seal(copy, size);
                test_context("named entry %u, its field at %zu is off by %lld", i, field, (long long)steps[k]);
                expect_altered_file(copy, size, B2S6_ERROR_FORMAT, anywhere);
            }
    memcpy(copy, file, size); /* damage in an entry is damage of the data */
    copy[get_le(file + file_named_entry(file, 2) + 32, 8) + 99] ^= 1;
    test_context("a byte of a named entry is damaged");
    expect_altered_file(copy, size, B2S6_ERROR_CHECKSUM, anywhere);
    free(copy);
    free(file);
    file_free(&parts);
}

/* At most 256. */
static void test_named_entries_limit(void)
{
    file_parts parts;
    altered_parts(&parts);
    for (uint32_t i = 0; i < 257; i++) {
        char name[8];
        snprintf(name, sizeof name, "%03u", (unsigned)i);
        file_insert_named(&parts, i, name, name, 3);
        if (i == 255)
            expect_altered(&parts, B2S6_OK);
    }
    expect_altered(&parts, B2S6_ERROR_FORMAT);
    file_free(&parts);
}

static const test tests[] = {
    TEST(test_tensors_missing_twice_or_moved), TEST(test_tensors_of_wrong_shape), TEST(test_tensor_sizes_wrap),
    TEST(test_tensor_fields), TEST(test_file_ends_early),
    TEST(test_unknown_tensors), TEST(test_named_entries), TEST(test_named_entry_places), TEST(test_named_entries_limit),
};
const test_suite suite_table = TEST_SUITE("table", tests);
