/* memory_functions.c - the four functions that libb2s6 and the compiler want of a C library, small */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* A word that may lie over objects of any type. */
typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (((uintptr_t)t | (uintptr_t)f) % 4 == 0)
        for (; n >= 4; n -= 4, t += 4, f += 4)
            *(word *)(void *)t = *(const word *)(const void *)f;
    for (; n; n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t <= f)
        return memcpy(to, from, n); /* ascends, a word read before it is written */
    while (n) {
        n--;
        t[n] = f[n];
    }
    return to;
}

void *memset(void *to, int value, size_t n)
{
    const uint32_t fourfold = (unsigned char)value * 0x01010101u;
    unsigned char *t = to;

    if ((uintptr_t)t % 4 == 0)
        for (; n >= 4; n -= 4, t += 4)
            *(word *)(void *)t = fourfold;
    for (; n; n--)
        *t++ = (unsigned char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    size_t i;

    for (i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}
