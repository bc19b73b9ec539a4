/*
 * What comes from the caller: allocators, and option structures of another size than ours. A program and
 * the library that it runs on may be of different versions, so a structure that can grow says its own size
 * first.
 */
#ifndef B2S6_MEMORY_H
#define B2S6_MEMORY_H

#include "common.h"

/* The caller's allocator, or malloc and free for NULL. 0 if it lacks a function. */
B2S6_INTERNAL int b2s6_take_allocator(b2s6_allocator *allocator, const b2s6_allocator *given);

/*
 * Whether a structure of this size ends where one of its members does. Members up to head bytes are 4
 * bytes wide, then up to tail bytes `middle` bytes, then `last` bytes.
 */
B2S6_INTERNAL int b2s6_is_member_end(size_t size, size_t head, size_t tail, size_t middle, size_t last);

/*
 * Copies an option structure over *known, which holds the defaults in known_size bytes. Both begin with
 * numbers of 32 bits, up to head bytes, the first their size; pointers and sizes follow. A shorter one (an
 * older program) leaves the rest at its default; a longer one (a newer program) is fine as long as what
 * this library does not know is zero. NULL changes nothing. 0 if it cannot be taken.
 */
B2S6_INTERNAL int b2s6_take_options(void *known, size_t known_size, size_t head, const void *given);

#endif
