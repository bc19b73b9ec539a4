/*
 * Allocators and option structures that come from the caller. The library allocates two things only (a
 * model's handle, a state), each as a single block, and both come from what b2s6_take_allocator gives
 * them.
 */
#include "memory.h"

#if B2S6_HAS_MALLOC

#include <stdlib.h>

/*
 * malloc aligns to less than B2S6_ALIGNMENT: room for the shift is added, and the block's own address kept
 * before it.
 *
 *     block ...  | address of block | memory, aligned ...
 *
 * C99 has no aligned malloc, and those of the systems (posix_memalign, _aligned_malloc) all differ.
 * alignment is a power of two. The address is copied as bytes, as nothing says that its place is aligned
 * for a pointer.
 */
static void *allocate_aligned(void *user, size_t size, size_t alignment)
{
    unsigned char *block, *memory;

    (void)user;
    /* the sum below must not wrap; such a size is answered as memory that is not there */
    if (size > SIZE_MAX - alignment - sizeof(void *))
        return NULL;
    block = malloc(size + alignment + sizeof(void *));
    if (!block)
        return NULL;
    memory = block + sizeof(void *);
    /* up to the next multiple; the last mask leaves an aligned address where it is */
    memory += (alignment - ((uintptr_t)memory & (alignment - 1))) & (alignment - 1);
    memcpy(memory - sizeof(void *), &block, sizeof(void *));
    return memory;
}

/* size is for allocators that want it; free does not. */
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

/* no user: malloc is the process's own */
static const b2s6_allocator default_allocator = { NULL, allocate_aligned, release_aligned };

#else

/*
 * Placing handles needs no allocator; what needs one is out of memory. A function rather than NULL, so
 * that a handle from an allocator of the host's and this one take the same way.
 */
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

/*
 * *allocator is written in any case; callers that get 0 do not use it. The structure is final, so it is
 * copied whole, and the copy goes into the handle: the host's may be gone when the handle is released.
 */
int b2s6_take_allocator(b2s6_allocator *allocator, const b2s6_allocator *given)
{
    *allocator = given ? *given : default_allocator;
    return allocator->allocate && allocator->release;
}

/*
 * A size that ends inside a member would be a structure that no version of the header ever had: a mistake,
 * such as sizeof of a pointer. It is found by the widths of members alone: numbers first, then wider ones,
 * none with padding between.
 */
int b2s6_is_member_end(size_t size, size_t head, size_t tail, size_t middle, size_t last)
{
    if (size < 4)
        return 0;
    /* the first number, struct_size, is always inside */
    if (size <= head)
        return size % 4 == 0;
    if (size <= tail)
        return (size - head) % middle == 0;
    return (size - tail) % last == 0;
}

/*
 * The host's structure is copied as bytes: it may be shorter or longer than ours. Afterwards *known is as
 * this version has it, its own size included. Bytes beyond what is known must be zero, which stands for
 * "as before" in every version to come; so an option that this library does not have is refused, never
 * ignored. Nothing is read beyond the size that is claimed.
 */
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
    /* empty where the host's structure is no longer than ours */
    for (i = known_size; i < size; i++)
        if (bytes[i])
            return 0;
    memcpy(known, given, size < known_size ? size : known_size);
    /* the host's size was copied with the rest */
    memcpy(known, &own, sizeof own);
    return 1;
}
