/*
 * What every source file of the library shares: the public header, checks of the compiler, a few small
 * helpers. Includes prologue.h before all else. Nothing here knows models, files or kernels.
 */
#ifndef B2S6_COMMON_H
#define B2S6_COMMON_H

#include "prologue.h"

#include "../b2s6.h"

#include "switches.h"

#include <float.h>

/* All that the library wants of a C library, and what gcc and clang want of one for any program. */
#ifdef B2S6_FREESTANDING
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#else
#  include <string.h>
#endif

/*
 * The results are defined to the last bit (docs/arithmetic.md), so the compiler must do float arithmetic
 * as written, each operation rounded to float. x87 registers keep more bits and round when they are
 * stored, which is twice; and where they are stored is up to the optimiser. Such a build is refused rather
 * than a little different.
 */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#  error "libb2s6 needs float arithmetic in float: on 32-bit x86 -msse2 -mfpmath=sse, on s390 -fexcess-precision=fast"
#endif

/* Lanes of a group: matrices are in panels of this many rows, channels in groups of this many. Part of the file format. */
#define B2S6_LANES 16u

/*
 * 1 where the file's numbers must be turned round; the file is little-endian. Compilers that do not say
 * are taken as little-endian. Plain conditions use it, so that every compiler sees both ways (open.c
 * copies the data on such a machine).
 */
#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#  define B2S6_BIG_ENDIAN 1
#else
#  define B2S6_BIG_ENDIAN 0
#endif

/*
 * Functions of the library that its other files call; the public ones carry B2S6_API from b2s6.h. Hidden,
 * so that the shared library exports b2s6.h and nothing else, and calls within it need no table.
 */
#if defined(__GNUC__) && !defined(_WIN32)
#  define B2S6_INTERNAL __attribute__((visibility("hidden")))
#else
#  define B2S6_INTERNAL
#endif

/* In a small build a function of its own: what it had on the stack is gone when its caller goes deeper. */
#if defined(B2S6_SMALL) && defined(__GNUC__)
#  define B2S6_APART __attribute__((noinline))
#else
#  define B2S6_APART
#endif

/*
 * Refused by the compiler (an array of -1) where a condition that the code relies on does not hold. C99
 * has no _Static_assert. The type has a name, and is never used.
 */
#define B2S6_STATIC_ASSERT(name, condition) typedef char b2s6_assert_##name[(condition) ? 1 : -1] B2S6_UNUSED
#if defined(__GNUC__)
#  define B2S6_UNUSED __attribute__((unused))
#else
#  define B2S6_UNUSED
#endif

/*
 * The file's floats are read in place, bytes have 8 bits, and the pinned enumeration has the size that the
 * ABI says.
 */
B2S6_STATIC_ASSERT(bytes_and_floats, sizeof(float) == 4 && (unsigned char)-1 == 255 && sizeof(b2s6_status) == 4);

/*
 * Rounded up to whole groups of lanes: the width of a row of x values, padding included. x is at most 2^28
 * (a dimension of a tensor), so nothing wraps.
 */
static inline uint32_t b2s6_pad16(uint32_t x)
{
    return (x + (B2S6_LANES - 1)) / B2S6_LANES * B2S6_LANES;
}

/*
 * The file's little-endian integers, read byte by byte: any alignment, any byte order of the machine, no
 * aliasing. Compilers make one load of them where the machine allows it.
 */
static inline uint32_t b2s6_read16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t b2s6_read32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t b2s6_read64(const unsigned char *p)
{
    return (uint64_t)b2s6_read32(p) | (uint64_t)b2s6_read32(p + 4) << 32;
}

/* A size or an offset of the file. What this machine cannot address becomes SIZE_MAX, which nothing reaches. */
static inline size_t b2s6_read_size(const unsigned char *p)
{
    const uint64_t size = b2s6_read64(p);

    return size > SIZE_MAX ? SIZE_MAX : (size_t)size;
}

/*
 * The bits of a float and back, which C99 allows through a union. Not memcpy: a freestanding build would
 * call a function for that. Not a cast of pointers: that breaks the rules of aliasing, and compilers use
 * them.
 */
union b2s6_bits {
    float f;
    uint32_t u;
};

static inline uint32_t b2s6_bits_of(float x)
{
    union b2s6_bits b;

    b.f = x;
    return b.u;
}

static inline float b2s6_float_of(uint32_t u)
{
    union b2s6_bits b;

    b.u = u;
    return b.f;
}

/*
 * Neither infinite nor NaN: the exponent is not all ones. isfinite is of the C library's math.h, and some
 * compilers take it to be always true under options that a user may pass.
 */
static inline int b2s6_is_finite(float x)
{
    return (b2s6_bits_of(x) & 0x7f800000u) != 0x7f800000u;
}

/*
 * As strcmp, which a freestanding build does not have: less, equal or greater by unsigned bytes, so that
 * the order of the file's keys is the same whether char is signed or not.
 */
static inline int b2s6_compare_text(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

/* alignment is a power of two. */
static inline int b2s6_is_aligned(const void *p, size_t alignment)
{
    return ((uintptr_t)p & (alignment - 1)) == 0;
}

#endif
