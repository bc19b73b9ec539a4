/*
 * b2s6_self_test: whether this build, on this machine, in this thread's floating-point environment,
 * computes as it must.
 *
 * The promise of equal bits rests on a handful of operations that are each correctly rounded. Compilers
 * and start-up code can break every one of them without a word: -ffast-math, contraction, x87 registers, a
 * rounding mode, flush-to-zero. Each vector below is one operation whose result is another float when one
 * of these is on. 19 operations take microseconds and half a kilobyte, so a device can ask at every start.
 * Kernels of instruction sets are not asked here: the tests compare them.
 */
#include "common.h"
#include "portable/convert.h"
#include "portable/fma.h"
#include "portable/sqrt.h"

/*
 * TWICE_ROUNDED is a product and a sum that must stay two operations, IN_ORDER two sums that must be taken
 * from the left.
 */
enum operation { ADD, MULTIPLY, DIVIDE, FUSED, ROOT, TWICE_ROUNDED, IN_ORDER, FROM_INTEGER };

/*
 * Bits of three operands and of the result; operands that an operation does not have are 0. Bits, not
 * floats, as a decimal constant could be rounded by the very compiler that is tested, and -0 and subnormal
 * numbers would be hard to tell.
 */
struct vector {
    uint32_t operation, a, b, c, result;
};

static const struct vector vectors[] = {
    /* to nearest, ties to even: 1 + 2^-24, 1 + 3 2^-24 and both negative fall apart in every other rounding */
    { ADD, 0x3f800000, 0x33800000, 0, 0x3f800000 },
    { ADD, 0x3f800000, 0x34400000, 0, 0x3f800002 },
    { ADD, 0xbf800000, 0xb3800000, 0, 0xbf800000 },
    { ADD, 0xbf800000, 0xb4400000, 0, 0xbf800002 },
    { ADD, 0x80000000, 0x00000000, 0, 0x00000000 }, /* -0 + 0 */
    { ADD, 0x00800000, 0x80800001, 0, 0x80000001 }, /* a subnormal result */
    { MULTIPLY, 0x00800000, 0x3f000000, 0, 0x00400000 },
    { MULTIPLY, 0x00400000, 0x40000000, 0, 0x00800000 }, /* a subnormal operand */
    { DIVIDE, 0x3f800000, 0x40400000, 0, 0x3eaaaaab }, /* 1 / 3 */
    { DIVIDE, 0x40a00000, 0x40400000, 0, 0x3fd55555 }, /* 5 / 3: 5 (1 / 3) is another float */
    { DIVIDE, 0x3f800000, 0x7f000000, 0, 0x00400000 },
    { FUSED, 0x3f800800, 0x3f800800, 0xbf801000, 0x33800000 }, /* (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24, rounded once */
    { TWICE_ROUNDED, 0x3f800800, 0x3f800800, 0xbf801000, 0x00000000 },
    { FUSED, 0x3f800001, 0x3f7fffff, 0xbf800000, 0x337ffffe },
    { FUSED, 0x00800000, 0x3f000000, 0x00000001, 0x00400001 },
    { ROOT, 0x40000000, 0, 0, 0x3fb504f3 },
    { ROOT, 0x00000001, 0, 0, 0x1a3504f3 }, /* of 2^-149 */
    { IN_ORDER, 0x3f800000, 0x4c000000, 0xcc000000, 0x00000000 }, /* (1 + 2^25) - 2^25, not 1 + 0 */
    { FROM_INTEGER, 0x01000003, 0, 0, 0x4b800002 }, /* 2^24 + 3 */
};

/*
 * One operation on values that the compiler does not know. FROM_INTEGER takes the bits of a as a number:
 * its conversion must round once, to even. Only bits are returned, so that comparing them needs no float
 * comparison.
 */
static uint32_t compute(uint32_t operation, float a, float b, float c, uint32_t bits)
{
    switch (operation) {
    case ADD: return b2s6_bits_of(a + b);
    case MULTIPLY: return b2s6_bits_of(a * b);
    case DIVIDE: return b2s6_bits_of(a / b);
    case FUSED: return b2s6_bits_of(b2s6_fma(a, b, c));
    case ROOT: return b2s6_bits_of(b2s6_sqrt(a));
    case TWICE_ROUNDED: return b2s6_bits_of(a * b + c);
    case IN_ORDER: return b2s6_bits_of(a + b + c);
    default: return b2s6_bits_of(b2s6_float_of_u64(bits));
    }
}

/*
 * All vectors are taken whatever the first ones give: the differences are or-ed, and one branch is left at
 * the end.
 */
b2s6_status b2s6_self_test(void)
{
    const volatile struct vector *v; /* volatile: computed here and now, not by the compiler */
    uint32_t a, b, c, wrong = 0;
    size_t i;

    for (i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        v = &vectors[i];
        a = v->a;
        b = v->b;
        c = v->c;
        wrong |= compute(v->operation, b2s6_float_of(a), b2s6_float_of(b), b2s6_float_of(c), a) ^ v->result;
    }
    return wrong ? B2S6_ERROR_ARITHMETIC : B2S6_OK;
}
