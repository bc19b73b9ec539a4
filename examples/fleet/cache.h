/*
 * cache.h - the states that a worker holds: so many and no more, the least recently used goes first
 *
 * All memory is taken at the beginning. A state that has taken events since it was last stored is dirty; the dirty ones of a
 * partition are a list, oldest first, which says how far back the next owner of the partition would have to read.
 */
#ifndef FLEET_CACHE_H
#define FLEET_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"
#include "layout.h"

struct slot {
    uint64_t stream;
    b2s6_state *state;
    struct entry_id position;     /* the last event that the state has taken */
    b2s6_status broken;           /* OK, or why what the store has of this stream could not be taken up */
    int partition;                /* -1: the slot is free */
    uint64_t round;               /* the last round that had an event of it */
    struct event *first, *last;   /* what it is to take in this round */
    int dirty;
    struct entry_id before;       /* dirty: where the partition was before the oldest event that is not stored */
    uint64_t since;               /* dirty: the partition's count of events at that one */
    struct slot *chain;           /* in a bucket of the table */
    struct slot *newer, *older;   /* by use */
    struct slot *dirty_next, *dirty_previous;
};

struct dirty_list {
    struct slot *first, *last;
};

struct cache {
    struct slot *slots;           /* (n_slots) */
    size_t n_slots, used;
    struct slot **table;          /* (n_buckets), a power of two */
    size_t n_buckets;
    struct slot *newest, *oldest;
    struct dirty_list dirty[MAX_PARTITIONS];
    void *memory;                 /* of the states */
};

/* 1, or 0: out of memory */
int cache_open(struct cache *cache, const b2s6_model *model, size_t n_slots);
void cache_close(struct cache *cache);

struct slot *cache_find(const struct cache *cache, uint64_t stream);

/* Notes that the slot is used in this round. */
void cache_touch(struct cache *cache, struct slot *slot, uint64_t round);

/*
 * The slot that the next stream gets: a free one, or else the least recently used one, whose state must be stored before
 * cache_assign if it is dirty.
 */
struct slot *cache_candidate(struct cache *cache);
void cache_assign(struct cache *cache, struct slot *slot, uint64_t stream, int partition);

void cache_dirty(struct cache *cache, struct slot *slot, struct entry_id before, uint64_t since);
void cache_clean(struct cache *cache, struct slot *slot);

/* Forgets all streams of a partition; -1: of all. */
void cache_forget(struct cache *cache, int partition);

#endif
