/* Allocators and option structures that come from the caller. */
#include "memory.h"

#if B2S6_HAS_MALLOC

#include <stdlib.h>

/* malloc aligns to less than B2S6_ALIGNMENT: room for the shift is added, and the block's own address kept before it. */
static void *allocate_aligned(void *user, size_t size, size_t alignment)
{
    unsigned char *block, *memory;

    (void)user;
    if (size > SIZE_MAX - alignment - sizeof(void *))
        return NULL;
    block = malloc(size + alignment + sizeof(void *));
    if (!block)
        return NULL;
    memory = block + sizeof(void *);
    memory += (alignment - ((uintptr_t)memory & (alignment - 1))) & (alignment - 1);
    memcpy(memory - sizeof(void *), &block, sizeof(void *));
    return memory;
}

static void release_aligned(void *user, void *memory, size_t size)
{
    void *block;

    (void)user;
    (void)size;
    if (!memory)
        return;
    memcpy(&block, (unsigned char *)memory - sizeof(void *), sizeof(void *));
    free(block);
}

static const b2s6_allocator default_allocator = { NULL, allocate_aligned, release_aligned };

#else

/* Placing handles needs no allocator; what needs one is out of memory. */
static void *allocate_nothing(void *user, size_t size, size_t alignment)
{
    (void)user;
    (void)size;
    (void)alignment;
    return NULL;
}

static void release_nothing(void *user, void *memory, size_t size)
{
    (void)user;
    (void)memory;
    (void)size;
}

static const b2s6_allocator default_allocator = { NULL, allocate_nothing, release_nothing };

#endif

int b2s6_take_allocator(b2s6_allocator *allocator, const b2s6_allocator *given)
{
    *allocator = given ? *given : default_allocator;
    return allocator->allocate && allocator->release;
}

int b2s6_is_member_end(size_t size, size_t head, size_t tail, size_t middle, size_t last)
{
    if (size < 4)
        return 0;
    if (size <= head)
        return size % 4 == 0;
    if (size <= tail)
        return (size - head) % middle == 0;
    return (size - tail) % last == 0;
}

int b2s6_take_options(void *known, size_t known_size, size_t head, const void *given)
{
    const unsigned char *bytes = given;
    uint32_t size, own = (uint32_t)known_size;
    size_t i;

    if (!given)
        return 1;
    memcpy(&size, given, sizeof size);
    if (!b2s6_is_member_end(size, head, head, 4, sizeof(void *)))
        return 0;
    for (i = known_size; i < size; i++)
        if (bytes[i])
            return 0;
    memcpy(known, given, size < known_size ? size : known_size);
    memcpy(known, &own, sizeof own);
    return 1;
}
