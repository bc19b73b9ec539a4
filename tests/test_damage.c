/* test_damage.c - whatever is not a whole compressed file of this model is refused, from a file and from a pipe */
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/checksum.h"
#include "bytes.h"
#include "suites.h"

static uint32_t last_u32(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Must be refused as a file and through a pipe; from a file nothing at all is written, unless the
 * checksum over all of it is right. */
static void check_refused(const b2s6_model *model, const unsigned char *bytes, size_t size, const char *why)
{
    const int forged = size > 4 && checksum(0, bytes, size - 4) == last_u32(bytes + size - 4);
    for (int piped = 0; piped < 2; piped++) {
        blob out;
        const char *text = try_decompress(model, bytes, size, piped, NULL, &out);
        if (strstr(text, why) == NULL)
            CHECK_STRING(why, text);
        CHECK(piped || out.size == 0 || forged);
        free(out.bytes);
    }
}

/* A small compressed file of the model's own text, with room behind it. */
static blob small_file(const b2s6_model *model)
{
    blob text = drawn_from(model, 150, 8), small = compressed(model, text.bytes, text.size, 64, NULL), b = { NULL, small.size };
    b.bytes = (unsigned char *)calloc(small.size + 32, 1);
    memcpy(b.bytes, small.bytes, small.size);
    free(text.bytes);
    free(small.bytes);
    return b;
}

static void test_truncated(void)
{
    opened_model opened;
    blob small;
    open_byte_model(&opened, 1);
    small = small_file(opened.model);
    for (size_t n = 0; n < small.size; n++) {
        test_context("cut to %zu of %zu bytes", n, small.size);
        check_refused(opened.model, small.bytes, n, n < 3 ? "in: not a file that b2s6 compressed" : "in: damaged or cut short");
    }
    for (size_t n = 1; n <= 16; n++) {
        test_context("%zu bytes too many", n);
        check_refused(opened.model, small.bytes, small.size + n, "in: damaged or cut short");
    }
    free(small.bytes);
    close_model(&opened);
}

static void test_flipped(void)
{
    opened_model opened;
    blob small;
    open_byte_model(&opened, 1);
    small = small_file(opened.model);
    for (size_t bit = 0; bit < 8 * small.size; bit++) {
        const size_t byte = bit / 8;
        small.bytes[byte] ^= (unsigned char)(1 << bit % 8);
        test_context("byte %zu, bit %zu", byte, bit % 8);
        check_refused(opened.model, small.bytes, small.size,
                      byte < 3 ? "in: not a file that b2s6" : byte == 3 ? "in: version " : byte < 12 ? "in: compressed with another model"
                                                                                            : "in: ");
        small.bytes[byte] ^= (unsigned char)(1 << bit % 8);
    }
    free(small.bytes);
    close_model(&opened);
}

static void fit_checksum(blob *small)
{
    const uint32_t crc = checksum(0, small->bytes, small->size - 4);
    for (int i = 0; i < 4; i++)
        small->bytes[small->size - 4 + (size_t)i] = (unsigned char)(crc >> 8 * i);
}

/* n bytes put in, or -n taken out, just before `place`, with a checksum that fits. Zeros are what a decoder reads anyway. */
static blob respaced(blob small, size_t place, int n)
{
    blob b = { NULL, small.size };
    b.bytes = (unsigned char *)calloc(small.size + 32, 1);
    memcpy(b.bytes, small.bytes, place - (n < 0 ? (size_t)-n : 0));
    b.size = n < 0 ? small.size - (size_t)-n : small.size + (size_t)n;
    memcpy(b.bytes + place + n, small.bytes + place, small.size - place);
    fit_checksum(&b);
    return b;
}

/* More or fewer coded bytes than the content takes; a length with a superfluous group. */
static void test_respaced(void)
{
    opened_model opened;
    blob small, b;
    size_t coded_end, length_size = 2; /* 150 */
    open_byte_model(&opened, 1);
    small = small_file(opened.model);
    coded_end = small.size - 4 - length_size - 4;
    for (int n = -20; n <= 20; n++) {
        if (n >= 0 && n < 8) /* zeros where a decoder reads zeros change nothing */
            continue;
        test_context("%d coded bytes more", n);
        b = respaced(small, coded_end, n);
        check_refused(opened.model, b.bytes, b.size, n < 0 ? "in: " : "in: damaged or cut short");
        free(b.bytes);
    }
    test_context("a length of 2^62 bytes, which ends with the coded bytes all the same");
    b = respaced(small, small.size - 4 - length_size, 7);
    memset(b.bytes + b.size - 4 - 8, 0x80, 8);
    b.bytes[b.size - 4 - 9] = 0x40;
    fit_checksum(&b);
    check_refused(opened.model, b.bytes, b.size, "in: damaged or cut short");
    free(b.bytes);
    test_context("a length with a superfluous group");
    b = respaced(small, small.size - 4 - length_size, 1);
    b.bytes[b.size - 4 - length_size] |= 0x80;
    fit_checksum(&b);
    check_refused(opened.model, b.bytes, b.size, "in: damaged or cut short");
    free(b.bytes);
    free(small.bytes);
    close_model(&opened);
}

/* Damage with a checksum that fits it: what else is there must hold it up, and nothing may go wrong on the way. */
static void test_forged(void)
{
    opened_model opened;
    blob small;
    size_t refused = 0;
    random_source random = { 77 };
    open_byte_model(&opened, 1);
    small = small_file(opened.model);
    for (int k = 0; k < 500; k++) {
        const size_t place = 12 + random_below(&random, (uint32_t)(small.size - 16));
        const unsigned char kept = small.bytes[place];
        blob out;
        small.bytes[place] = (unsigned char)(random_u64(&random) >> 56);
        fit_checksum(&small);
        test_context("forged at byte %zu", place);
        refused += try_decompress(opened.model, small.bytes, small.size, k & 1, NULL, &out)[0] != 0;
        free(out.bytes);
        small.bytes[place] = kept;
    }
    test_note("%zu of 500 refused", refused);
    CHECK(refused > 480);
    free(small.bytes);
    close_model(&opened);
}

static void test_foreign(void)
{
    opened_model opened, other;
    blob small;
    unsigned char bytes[4000];
    open_byte_model(&opened, 1);
    open_byte_model(&other, 2);
    small = small_file(opened.model);
    check_refused(other.model, small.bytes, small.size, "in: compressed with another model");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i >> 3);
    check_refused(opened.model, bytes, sizeof bytes, "in: not a file that b2s6 compressed");
    check_refused(opened.model, (const unsigned char *)"plain text\n", 11, "in: not a file that b2s6 compressed");
    free(small.bytes);
    close_model(&opened);
    close_model(&other);
}

static const test tests[] = {
    TEST(test_truncated), TEST(test_flipped), TEST(test_respaced), TEST(test_forged), TEST(test_foreign),
};
const test_suite suite_damage = TEST_SUITE("damage", tests);
