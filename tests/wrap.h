/*
 * wrap.h - watches the C library's own allocator
 *
 * The tests are linked with --wrap for malloc and its kin (tests.mk, B2S6_TEST_WRAP), so that every call from the tests, the
 * converter and the library passes here. Without it wrap_available() is 0.
 */
#ifndef TEST_WRAP_H
#define TEST_WRAP_H

#include <stddef.h>

int wrap_available(void);

/* Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc so far, and of free. */
size_t wrap_allocations(void);
size_t wrap_frees(void);

#endif
