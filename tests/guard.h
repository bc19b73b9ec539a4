/*
 * guard.h - memory that faults when it is overrun: a page that cannot be touched lies right behind it, and one before it
 *
 * What lies in it can be made read-only, so that a write into a model file faults too.
 */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <stddef.h>

typedef struct guard {
    unsigned char *pages; /* the mapping */
    size_t mapped, room;  /* its bytes, those between the two guard pages */
    unsigned char *data;  /* the last copy; it ends at the guard page, or up to 3 bytes before it */
} guard;

/* Room for copies of at most size bytes. */
void guard_make(guard *g, size_t size);
void guard_free(guard *g);

/* Copies data so that it ends at the guard page, as near as an alignment of its beginning to 4 bytes allows; read-only. */
const unsigned char *guard_copy(guard *g, const void *data, size_t size);

/* The same place for size bytes to be written, all 0xA5, as is the room before them; aligned to 4 or what size is aligned to. */
unsigned char *guard_room(guard *g, size_t size);

/* How many of the bytes before the last copy or room are no longer 0xA5. */
size_t guard_touched(const guard *g);

#endif
