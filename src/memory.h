/* What comes from the caller: allocators, and option structures of another size than ours. */
#ifndef B2S6_MEMORY_H
#define B2S6_MEMORY_H

#include "common.h"

/* The caller's allocator, or malloc and free for NULL. 0 if it lacks a function. */
B2S6_INTERNAL int b2s6_take_allocator(b2s6_allocator *allocator, const b2s6_allocator *given);

/*
 * Copies an option structure that begins with its own size over *known, which holds the defaults in known_size bytes. A
 * shorter one (an older program) leaves the rest at its default; a longer one (a newer program) is fine as long as what
 * this library does not know is zero. NULL changes nothing. 0 if it cannot be taken.
 */
B2S6_INTERNAL int b2s6_take_options(void *known, size_t known_size, const void *given);

#endif
