/*
 * test.h - checks for the tests, the same under cmocka and under the small runner in runner.c
 *
 * A test is a plain function. A file lists its tests in a suite; main.c lists the suites. The first check that fails ends its
 * test and is printed with file, line, both values and the context that the test set last. Checks are for the main thread:
 * a thread hands its findings back and the test checks them.
 */
#ifndef TEST_H
#define TEST_H

#include <stddef.h>
#include <stdint.h>

#include "../b2s6.h"

typedef struct test {
    const char *name;
    void (*function)(void);
} test;

typedef struct test_suite {
    const char *name;
    const test *tests;
    size_t n_tests;
} test_suite;

#define TEST(function) { #function, function }
#define TEST_SUITE(name, tests) { name, tests, sizeof(tests) / sizeof((tests)[0]) }

/* Runs the tests whose "suite.test" contains filter (NULL: all), prints "N passed, N failed"; 0 if none failed. */
int test_run(const test_suite *const *suites, size_t n_suites, const char *filter);

/* What the test is about to check, printed with a failure; it ends with the test. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void test_context(const char *format, ...);

/* A line of report: figures reached, or a part that this machine cannot run and why. Nothing is skipped without one. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void test_note(const char *format, ...);

/* A fault of the test's own surroundings, such as an unreadable file, ends the test as failed. */
#define FAIL(reason) check_true(0, reason, __FILE__, __LINE__)

#define CHECK(condition) check_true((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_EQUAL_INT(expected, value) check_int(expected, value, #value, __FILE__, __LINE__)
#define CHECK_EQUAL_SIZE(expected, value) check_u64(expected, value, #value, __FILE__, __LINE__)
#define CHECK_EQUAL_U64(expected, value) check_u64(expected, value, #value, __FILE__, __LINE__)
#define CHECK_STRING(expected, value) check_string(expected, value, #value, __FILE__, __LINE__)
#define CHECK_BYTES(expected, value, size) check_bytes(expected, value, size, #value, __FILE__, __LINE__)
#define CHECK_BITS(expected, value, count) check_bits(expected, value, count, #value, __FILE__, __LINE__)
#define CHECK_NEAR(expected, value, tolerance) check_near(expected, value, tolerance, #value, __FILE__, __LINE__)
#define CHECK_STATUS(expected, call) check_status(expected, call, #call, __FILE__, __LINE__)
#define CHECK_OK(call) check_status(B2S6_OK, call, #call, __FILE__, __LINE__)

void check_true(int condition, const char *text, const char *file, int line);
void check_int(int64_t expected, int64_t value, const char *text, const char *file, int line);
void check_u64(uint64_t expected, uint64_t value, const char *text, const char *file, int line);
void check_string(const char *expected, const char *value, const char *text, const char *file, int line);
void check_bytes(const void *expected, const void *value, size_t size, const char *text, const char *file, int line);
void check_bits(const float *expected, const float *value, size_t count, const char *text, const char *file, int line);
void check_near(double expected, double value, double tolerance, const char *text, const char *file, int line);
void check_status(b2s6_status expected, b2s6_status value, const char *text, const char *file, int line);

#endif
