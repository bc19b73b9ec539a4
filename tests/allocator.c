/* allocator.c - an allocator that counts and checks */
#include "allocator.h"

#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "test.h"

/* A block: a line that remembers, the caller's bytes, a line of margin that must stay as it was. */
enum { LINE = B2S6_ALIGNMENT, MARGIN = 0xA5 };

typedef struct block_line {
    size_t size, misalign;
    const counting *owner;
} block_line;

static void *allocate(void *user, size_t size, size_t alignment)
{
    counting *c = (counting *)user;
    block_line line;
    unsigned char *block;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > B2S6_ALIGNMENT)
        c->fault = "an alignment that is no power of two up to B2S6_ALIGNMENT";
    if (size == 0)
        c->fault = "an allocation of nothing";
    if (c->refuse)
        return NULL;
    c->allocations++;
    c->last_size = size;
    block = (unsigned char *)aligned_memory(size + 3 * LINE);
    memset(block, MARGIN, size + 3 * LINE);
    line.size = size;
    line.misalign = c->misalign;
    line.owner = c;
    memcpy(block, &line, sizeof line);
    return block + LINE + c->misalign;
}

static void release(void *user, void *memory, size_t size)
{
    counting *c = (counting *)user;
    unsigned char *block;
    block_line line;
    if (memory == NULL) {
        c->fault = "a release of nothing";
        return;
    }
    block = (unsigned char *)memory - LINE - c->misalign;
    memcpy(&line, block, sizeof line);
    if (line.owner != c)
        c->fault = "a release of something else";
    if (line.size != size)
        c->fault = "a release with another size than was asked for";
    for (size_t i = 0; i < LINE; i++)
        if (block[LINE + c->misalign + line.size + i] != MARGIN)
            c->fault = "a write beyond the end";
    c->releases++;
    memset(block, 0xDD, line.size + 3 * LINE); /* what is used afterwards will show */
    free(block);
}

void counting_make(counting *c)
{
    memset(c, 0, sizeof *c);
    c->allocator.user = c;
    c->allocator.allocate = allocate;
    c->allocator.release = release;
}

void counting_check(const counting *c, size_t allocations)
{
    if (c->fault != NULL)
        FAIL(c->fault);
    CHECK_EQUAL_SIZE(allocations, c->allocations);
    CHECK_EQUAL_SIZE(c->allocations, c->releases);
}
