/* painted.c - a thread on a painted stack */
#define _POSIX_C_SOURCE 200809L /* posix_memalign, pthread_attr_setstack */
#include "painted.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define SANITIZED 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#    define SANITIZED 1
#  endif
#endif
#ifndef SANITIZED
#  define SANITIZED 0
#endif

/* Below the marker: what the measuring function itself may have there. */
enum { OWN_BYTES = 256 };

#define PAINT UINT64_C(0x6b63617473b2562d)

typedef struct measurement {
    void (*call)(void *context);
    void *context;
    uint64_t *stack; /* (PAINTED_BYTES / 8), lowest first; stacks grow towards it */
    size_t taken;
} measurement;

const char *stack_unmeasured(void)
{
    return SANITIZED ? "a build with a sanitizer" : NULL;
}

/* No function is called before the paint is dry: the loops write and read through volatile, so that none is made of them. */
static void *measure(void *argument)
{
    measurement *m = (measurement *)argument;
    volatile unsigned char marker = 0;
    volatile uint64_t *paint = m->stack;
    const uintptr_t top = (uintptr_t)&marker;
    const size_t n = (size_t)(top - OWN_BYTES - (uintptr_t)m->stack) / 8;
    size_t i;
    for (i = 0; i < n; i++)
        paint[i] = PAINT;
    m->call(m->context);
    for (i = 0; i < n && paint[i] == PAINT;)
        i++;
    m->taken = top - (uintptr_t)(m->stack + i);
    return NULL;
}

size_t stack_taken(void (*call)(void *context), void *context)
{
    static void *stack; /* kept: fresh memory for every call would cost more than the paint */
    measurement m = { call, context, NULL, 0 };
    pthread_attr_t attributes;
    pthread_t thread;
    if (stack_unmeasured() != NULL)
        return 0;
    if (stack == NULL)
        CHECK_EQUAL_INT(0, posix_memalign(&stack, 65536, PAINTED_BYTES));
    m.stack = (uint64_t *)stack;
    CHECK_EQUAL_INT(0, pthread_attr_init(&attributes));
    CHECK_EQUAL_INT(0, pthread_attr_setstack(&attributes, stack, PAINTED_BYTES));
    CHECK_EQUAL_INT(0, pthread_create(&thread, &attributes, measure, &m));
    CHECK_EQUAL_INT(0, pthread_join(thread, NULL));
    pthread_attr_destroy(&attributes);
    return m.taken;
}
