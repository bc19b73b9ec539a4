/* wrap.c - watches the C library's own allocator */
#define _POSIX_C_SOURCE 200809L
#include "wrap.h"

#include <stdlib.h>

/* Counted without a lock: tests read the counts when no other thread runs. */
static size_t allocations, frees;

#ifdef B2S6_TEST_WRAP

/* The linker's names: what calls malloc reaches __wrap_malloc, and __real_malloc is the C library's. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations++;
    return __real_posix_memalign(memory, alignment, size);
}

void __wrap_free(void *memory)
{
    frees++;
    __real_free(memory);
}

int wrap_available(void)
{
    return 1;
}

#else

int wrap_available(void)
{
    return 0;
}

#endif

size_t wrap_allocations(void)
{
    return allocations;
}

size_t wrap_frees(void)
{
    return frees;
}
