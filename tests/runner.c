/*
 * runner.c - runs suites and reports, under cmocka (B2S6_CMOCKA) or on its own
 *
 * Only this file knows which of the two is there. A failed check leaves its test by cmocka's way or by longjmp.
 */
#include "test.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef B2S6_CMOCKA
#include <cmocka.h>
#else
static jmp_buf test_end;
#endif

static char context[512];

void test_context(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
}

void test_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("    ");
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4), noreturn))
#endif
static void fail_test(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, context[0] ? " [%s]\n" : "%s\n", context);
    fflush(stderr);
    va_end(arguments);
#ifdef B2S6_CMOCKA
    _fail(file, line);
    abort(); /* _fail does not return, but is not declared so */
#else
    longjmp(test_end, 1);
#endif
}

/* -------------------------------------------------------------------------------------------------------------- checks */

void check_true(int condition, const char *text, const char *file, int line)
{
    if (!condition)
        fail_test(file, line, "%s", text);
}

void check_int(int64_t expected, int64_t value, const char *text, const char *file, int line)
{
    if (value != expected)
        fail_test(file, line, "%s is %" PRId64 ", not %" PRId64, text, value, expected);
}

void check_u64(uint64_t expected, uint64_t value, const char *text, const char *file, int line)
{
    if (value != expected)
        fail_test(file, line, "%s is %" PRIu64 ", not %" PRIu64, text, value, expected);
}

void check_string(const char *expected, const char *value, const char *text, const char *file, int line)
{
    if (value == NULL || strcmp(value, expected) != 0)
        fail_test(file, line, "%s is \"%s\", not \"%s\"", text, value ? value : "(NULL)", expected);
}

void check_bytes(const void *expected, const void *value, size_t size, const char *text, const char *file, int line)
{
    const unsigned char *a = (const unsigned char *)expected, *b = (const unsigned char *)value;
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i])
            fail_test(file, line, "%s: byte %zu of %zu is %02x, not %02x", text, i, size, b[i], a[i]);
}

/* Bits, not values: a zero of the other sign differs, a NaN with the same payload does not. */
void check_bits(const float *expected, const float *value, size_t count, const char *text, const char *file, int line)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t a, b;
        memcpy(&a, expected + i, 4);
        memcpy(&b, value + i, 4);
        if (a != b)
            fail_test(file, line, "%s: value %zu of %zu is %.9g (%08" PRIx32 "), not %.9g (%08" PRIx32 ")", text, i, count,
                 (double)value[i], b, (double)expected[i], a);
    }
}

void check_near(double expected, double value, double tolerance, const char *text, const char *file, int line)
{
    double difference = value > expected ? value - expected : expected - value;
    if (!(difference <= tolerance)) /* a NaN fails too */
        fail_test(file, line, "%s is %.17g, not %.17g within %g", text, value, expected, tolerance);
}

void check_status(b2s6_status expected, b2s6_status value, const char *text, const char *file, int line)
{
    if (value != expected)
        fail_test(file, line, "%s gives %d (%s), not %d (%s)", text, (int)value, b2s6_status_text(value), (int)expected,
             b2s6_status_text(expected));
}

/* --------------------------------------------------------------------------------------------------------------- runner */

static int selected(const test_suite *suite, const test *one, const char *filter)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", suite->name, one->name);
    return filter == NULL || strstr(name, filter) != NULL;
}

#ifdef B2S6_CMOCKA

static void call(void **state)
{
    const test *const *one = (const test *const *)*state;
    context[0] = 0;
    (*one)->function();
}

/* Returns how many tests failed. */
static size_t run_suite(const test_suite *suite, const char *filter, size_t *n_run)
{
    struct CMUnitTest *tests = (struct CMUnitTest *)calloc(suite->n_tests, sizeof *tests);
    const test **ones = (const test **)calloc(suite->n_tests, sizeof *ones);
    size_t n = 0;
    int failed;
    if (tests == NULL || ones == NULL)
        exit(2);
    for (size_t i = 0; i < suite->n_tests; i++)
        if (selected(suite, &suite->tests[i], filter)) {
            ones[n] = &suite->tests[i];
            tests[n].name = ones[n]->name;
            tests[n].test_func = call;
            tests[n].initial_state = &ones[n];
            n++;
        }
    *n_run += n;
    failed = n == 0 ? 0 : _cmocka_run_group_tests(suite->name, tests, n, NULL, NULL);
    free(tests);
    free(ones);
    return (size_t)failed;
}

#else

static int run_test(const test *one)
{
    context[0] = 0;
    if (setjmp(test_end) != 0)
        return 0;
    one->function();
    return 1;
}

static size_t run_suite(const test_suite *suite, const char *filter, size_t *n_run)
{
    size_t failed = 0;
    for (size_t i = 0; i < suite->n_tests; i++) {
        int passed;
        if (!selected(suite, &suite->tests[i], filter))
            continue;
        printf("%s.%s\n", suite->name, suite->tests[i].name);
        fflush(stdout);
        passed = run_test(&suite->tests[i]);
        failed += !passed;
        ++*n_run;
        if (!passed)
            printf("    FAILED: %s.%s\n", suite->name, suite->tests[i].name);
    }
    return failed;
}

#endif

int test_run(const test_suite *const *suites, size_t n_suites, const char *filter)
{
    size_t n_run = 0, failed = 0;
    for (size_t i = 0; i < n_suites; i++)
        failed += run_suite(suites[i], filter, &n_run);
    fflush(stderr);
    if (n_run == 0)
        printf("no test is named like '%s'\n", filter ? filter : "");
    printf("%zu passed, %zu failed\n", n_run - failed, failed);
    fflush(stdout);
    return failed != 0 || n_run == 0;
}
