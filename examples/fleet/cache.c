/* cache.c - the states that a worker holds (cache.h) */
#define _POSIX_C_SOURCE 200809L

#include "cache.h"

#include <stdlib.h>
#include <string.h>

int cache_open(struct cache *cache, const b2s6_model *model, size_t n_slots)
{
    const size_t stride = (b2s6_state_size(model) + B2S6_ALIGNMENT - 1) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;

    memset(cache, 0, sizeof *cache);
    for (cache->n_buckets = 16; cache->n_buckets < n_slots; cache->n_buckets *= 2)
        if (cache->n_buckets > SIZE_MAX / 4 / sizeof *cache->table)
            return 0;
    cache->slots = calloc(n_slots, sizeof *cache->slots);
    cache->table = calloc(cache->n_buckets, sizeof *cache->table);
    if (!cache->slots || !cache->table || n_slots > SIZE_MAX / stride
        || posix_memalign(&cache->memory, B2S6_ALIGNMENT, n_slots * stride)) {
        cache->memory = NULL;
        cache_close(cache);
        return 0;
    }
    cache->n_slots = n_slots;
    for (size_t i = 0; i < n_slots; i++) {
        cache->slots[i].partition = -1;
        if (b2s6_state_place(&cache->slots[i].state, model, (char *)cache->memory + i * stride, stride) != B2S6_OK) {
            cache_close(cache);
            return 0;
        }
    }
    return 1;
}

void cache_close(struct cache *cache)
{
    free(cache->slots);
    free(cache->table);
    free(cache->memory);
    memset(cache, 0, sizeof *cache);
}

static struct slot **bucket(const struct cache *cache, uint64_t stream)
{
    return &cache->table[(stream * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cache->n_buckets - 1)];
}

struct slot *cache_find(const struct cache *cache, uint64_t stream)
{
    struct slot *slot = *bucket(cache, stream);

    while (slot && slot->stream != stream)
        slot = slot->chain;
    return slot;
}

static void unlink_use(struct cache *cache, struct slot *slot)
{
    *(slot->newer ? &slot->newer->older : &cache->newest) = slot->older;
    *(slot->older ? &slot->older->newer : &cache->oldest) = slot->newer;
}

static void link_newest(struct cache *cache, struct slot *slot)
{
    slot->newer = NULL;
    slot->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = slot;
    cache->newest = slot;
}

void cache_touch(struct cache *cache, struct slot *slot, uint64_t round)
{
    slot->round = round;
    if (cache->newest != slot) {
        unlink_use(cache, slot);
        link_newest(cache, slot);
    }
}

struct slot *cache_candidate(struct cache *cache)
{
    if (cache->used < cache->n_slots) {
        struct slot *slot = &cache->slots[cache->used++];

        link_newest(cache, slot);
        return slot;
    }
    return cache->oldest;
}

/* Takes a stream out of the table; the slot stays in the order of use. */
static void vacate(struct cache *cache, struct slot *slot)
{
    struct slot **link = bucket(cache, slot->stream);

    if (slot->partition < 0)
        return;
    if (slot->dirty)
        cache_clean(cache, slot);
    while (*link != slot)
        link = &(*link)->chain;
    *link = slot->chain;
    slot->partition = -1;
}

void cache_assign(struct cache *cache, struct slot *slot, uint64_t stream, int partition)
{
    struct slot **head = bucket(cache, stream);

    vacate(cache, slot);
    slot->stream = stream;
    slot->partition = partition;
    slot->broken = B2S6_OK;
    slot->position.ms = slot->position.seq = 0;
    slot->first = slot->last = NULL;
    slot->chain = *head;
    *head = slot;
}

void cache_dirty(struct cache *cache, struct slot *slot, struct entry_id before, uint64_t since)
{
    struct dirty_list *list = &cache->dirty[slot->partition];

    if (slot->dirty)
        return;
    slot->dirty = 1;
    slot->before = before;
    slot->since = since;
    /* Slots come in the order of a round, not of its events: a short way back to its place. */
    slot->dirty_previous = list->last;
    while (slot->dirty_previous && slot->dirty_previous->since > since)
        slot->dirty_previous = slot->dirty_previous->dirty_previous;
    slot->dirty_next = slot->dirty_previous ? slot->dirty_previous->dirty_next : list->first;
    *(slot->dirty_previous ? &slot->dirty_previous->dirty_next : &list->first) = slot;
    *(slot->dirty_next ? &slot->dirty_next->dirty_previous : &list->last) = slot;
}

void cache_clean(struct cache *cache, struct slot *slot)
{
    struct dirty_list *list = &cache->dirty[slot->partition];

    *(slot->dirty_previous ? &slot->dirty_previous->dirty_next : &list->first) = slot->dirty_next;
    *(slot->dirty_next ? &slot->dirty_next->dirty_previous : &list->last) = slot->dirty_previous;
    slot->dirty = 0;
}

void cache_forget(struct cache *cache, int partition)
{
    for (size_t i = 0; i < cache->used; i++) {
        struct slot *slot = &cache->slots[i];

        if (slot->partition < 0 || (partition >= 0 && slot->partition != partition))
            continue;
        vacate(cache, slot);
        slot->round = 0;
        unlink_use(cache, slot);              /* to be used again first */
        slot->newer = cache->oldest;
        slot->older = NULL;
        *(cache->oldest ? &cache->oldest->older : &cache->newest) = slot;
        cache->oldest = slot;
    }
}
