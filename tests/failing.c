/*
 * failing.c - one passing test, and one failing test for each kind of check
 *
 * tests/check_runner.sh runs it and wants every failure reported: a check that cannot fail is no check.
 */
#include "test.h"

#include <math.h>

static const float ones[] = { 1, 1 }, zeros[] = { 0, 0 }, mixed[] = { 1, -0.0f };

static void test_true(void) { CHECK(1 + 1 == 3); }
static void test_int(void) { CHECK_EQUAL_INT(-1, 1); }
static void test_u64(void) { CHECK_EQUAL_U64(1, UINT64_MAX); }
static void test_string(void) { CHECK_STRING("a", "b"); }
static void test_string_null(void) { CHECK_STRING("a", NULL); }
static void test_bytes(void) { CHECK_BYTES(ones, zeros, sizeof ones); }
static void test_bits(void) { CHECK_BITS(ones, mixed, 2); }
static void test_bits_of_zero(void) { CHECK_BITS(zeros + 1, mixed + 1, 1); }
static void test_near(void) { CHECK_NEAR(1.0, 1.1, 0.01); }
static void test_near_nan(void) { CHECK_NEAR(1.0, (double)NAN, 1e300); }
static void test_status(void) { CHECK_STATUS(B2S6_ERROR_TOKEN, B2S6_OK); }
static void test_ok(void) { CHECK_OK(B2S6_ERROR_MEMORY); }

static void test_passes(void)
{
    CHECK(1);
    CHECK_EQUAL_INT(-1, -1);
    CHECK_EQUAL_U64(1, 1);
    CHECK_STRING("a", "a");
    CHECK_BYTES(ones, ones, sizeof ones);
    CHECK_BITS(ones, mixed, 1);
    CHECK_NEAR(1.0, 1.005, 0.01);
    CHECK_STATUS(B2S6_ERROR_TOKEN, B2S6_ERROR_TOKEN);
}

static void test_fails_on_purpose(void)
{
    test_context("the %s", "context");
    FAIL("on purpose");
}

static const test tests[] = {
    TEST(test_true), TEST(test_int), TEST(test_u64), TEST(test_string), TEST(test_string_null), TEST(test_bytes),
    TEST(test_bits), TEST(test_bits_of_zero), TEST(test_near), TEST(test_near_nan), TEST(test_status), TEST(test_ok),
    TEST(test_passes), TEST(test_fails_on_purpose),
};
static const test_suite suite = TEST_SUITE("failing", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    return test_run(suites, 1, argc > 1 ? argv[1] : NULL);
}
