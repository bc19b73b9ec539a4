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

const unsigned char *guard_copy(guard *g, const void *data, size_t size)
{
    unsigned char *room = g->pages + (g->mapped - g->room) / 2;
    CHECK(size <= g->room);
    CHECK_EQUAL_INT(0, mprotect(room, g->room, PROT_READ | PROT_WRITE));
    memset(room, 0xA5, g->room);
    g->data = room + g->room - (size + 3) / 4 * 4;
    memcpy(g->data, data, size);
    CHECK_EQUAL_INT(0, mprotect(room, g->room, PROT_READ));
    return g->data;
}
