/*
 * allocator.h - an allocator that counts, checks what it is asked for and what it gets back, and can refuse
 */
#ifndef TEST_ALLOCATOR_H
#define TEST_ALLOCATOR_H

#include "../b2s6.h"

typedef struct counting {
    b2s6_allocator allocator; /* to be passed on; user is this structure */
    size_t allocations, releases;
    size_t last_size;
    int refuse;     /* answer NULL from now on */
    size_t misalign; /* bytes to add to an aligned address */
    const char *fault; /* what the library did wrong, or NULL */
} counting;

void counting_make(counting *c);

/* Fails the test if the library misused the allocator or kept a block. */
void counting_check(const counting *c, size_t allocations);

#endif
