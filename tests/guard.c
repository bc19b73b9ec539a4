/* guard.c - memory that faults when it is overrun */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

void guard_make(guard *g, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    g->room = (size + page - 1) / page * page;
    g->mapped = g->room + 2 * page;
    g->pages = (unsigned char *)mmap(NULL, g->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(g->pages != MAP_FAILED);
    g->data = g->pages + page;
}

void guard_free(guard *g)
{
    munmap(g->pages, g->mapped);
    memset(g, 0, sizeof *g);
}

/* The first byte between the guard pages. */
static unsigned char *room_of(const guard *g)
{
    return g->pages + (g->mapped - g->room) / 2;
}

unsigned char *guard_room(guard *g, size_t size)
{
    unsigned char *room = room_of(g);
    CHECK(size <= g->room);
    CHECK(g->room == 0 || mprotect(room, g->room, PROT_READ | PROT_WRITE) == 0);
    memset(room, 0xA5, g->room);
    g->data = room + g->room - (size + 3) / 4 * 4;
    return g->data;
}

const unsigned char *guard_copy(guard *g, const void *data, size_t size)
{
    memcpy(guard_room(g, size), data, size);
    CHECK(g->room == 0 || mprotect(room_of(g), g->room, PROT_READ) == 0);
    return g->data;
}

size_t guard_touched(const guard *g)
{
    size_t n = 0;
    for (const unsigned char *p = room_of(g); p < g->data; p++)
        n += *p != 0xA5;
    return n;
}
