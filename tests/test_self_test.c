/* test_self_test.c - b2s6_self_test passes here, and notices every floating-point environment that is another one */
#include <fenv.h>

#include "suites.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

static void test_passes(void)
{
    CHECK_STATUS(B2S6_OK, b2s6_self_test());
}

static void test_rounding(void)
{
    static const int modes[] = {
#if defined(FE_UPWARD)
        FE_UPWARD,
#endif
#if defined(FE_DOWNWARD)
        FE_DOWNWARD,
#endif
#if defined(FE_TOWARDZERO)
        FE_TOWARDZERO,
#endif
    };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        b2s6_status status;
        test_context("rounding mode %d", modes[i]);
        CHECK(fesetround(modes[i]) == 0);
        status = b2s6_self_test();
        fesetround(FE_TONEAREST);
        CHECK_STATUS(B2S6_ERROR_ARITHMETIC, status);
    }
    CHECK_STATUS(B2S6_OK, b2s6_self_test());
}

/* Results that are flushed to zero, and operands that are. */
static void test_subnormals(void)
{
#if defined(__SSE__)
    static const unsigned bits[] = { 0x8000, 0x0040 };
    const unsigned usual = _mm_getcsr();
    for (size_t i = 0; i < 2; i++) {
        b2s6_status status;
        _mm_setcsr(usual | bits[i]);
        status = b2s6_self_test();
        _mm_setcsr(usual);
        test_context("MXCSR bit %x", bits[i]);
        CHECK_STATUS(B2S6_ERROR_ARITHMETIC, status);
    }
#endif
    CHECK_STATUS(B2S6_OK, b2s6_self_test());
}

static const test tests[] = { TEST(test_passes), TEST(test_rounding), TEST(test_subnormals) };
const test_suite suite_self_test = TEST_SUITE("self_test", tests);
