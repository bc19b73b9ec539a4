/* elementary_measure.c - the exact functions in double, errors in units of the last place, and one digest of all bits */
#include "elementary.h"

#include <math.h>
#include <string.h>

#include "random.h"

static const double pi = 3.14159265358979323846;

extern const elementary_table elementary_portable, elementary_fma_double, elementary_fma_integer;
extern const elementary_table elementary_sse2, elementary_avx2, elementary_avx512, elementary_neon;

size_t elementary_tables(const elementary_table *tables[8])
{
    size_t n = 0;
    tables[n++] = &elementary_portable;
    tables[n++] = &elementary_fma_double;
    tables[n++] = &elementary_fma_integer;
#if defined(__x86_64__) || defined(__i386__)
#if defined(__SSE2__)
    tables[n++] = &elementary_sse2;
#endif
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[n++] = &elementary_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        tables[n++] = &elementary_avx512;
#elif defined(__aarch64__)
    tables[n++] = &elementary_neon;
#endif
    return n;
}

/* ------------------------------------------------------------------------------------------------------- exact functions */

static double exact_softplus(double x)
{
    return log1p(exp(-fabs(x))) + (x > 0 ? x : 0);
}

static double exact_sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double exact_silu(double x)
{
    return x < -1000 ? -0.0 : x * exact_sigmoid(x);
}

static double exact_gelu(double x)
{
    return x < -1000 ? -0.0 : 0.5 * x * erfc(-x * 0.70710678118654752440);
}

const elementary_function elementary_functions[ELEMENTARY_UNARY] = {
    { "exp", exp, 2 },         { "softplus", exact_softplus, 2 }, { "sigmoid", exact_sigmoid, 2 },
    { "silu", exact_silu, 2 }, { "gelu", exact_gelu, 2 },
};

void elementary_exact_factor(float delta, float decay, float turn, float turn_lo, double out[4])
{
    const double a = (double)delta * (double)decay * 0.69314718055994530942;
    const double half_turns = remainder((double)delta * (double)turn, 2); /* exact: a product of two floats */
    const double b = pi * half_turns + (double)delta * (double)turn_lo, s = sin(b / 2);
    out[0] = exp(a) * cos(b);
    out[1] = exp(a) * sin(b);
    out[2] = expm1(a) * cos(b) - 2 * s * s;
    out[3] = expm1(a);
}

/* ---------------------------------------------------------------------------------------------------------------- errors */

double elementary_ulp(float value, double exact)
{
    int exponent;
    if (isnan(exact) || isnan(value))
        return isnan(exact) && isnan(value) ? 0 : -1;
    /* beyond this the nearest float is infinite */
    if (fabs(exact) >= 0x1.ffffffp127 || isinf(value))
        return isinf(value) && fabs(exact) >= 0x1.fffffcp127 && (value > 0) == (exact > 0) ? 0 : -1;
    frexp(exact, &exponent);
    if (exact == 0 || exponent < -125)
        exponent = -125;
    return ldexp(fabs((double)value - exact), 24 - exponent);
}

elementary_error elementary_scan(const elementary_table *table, int function, uint32_t first, uint32_t last, uint32_t stride)
{
    enum { block = 1024 };
    float x[block], y[block];
    elementary_error worst = { 0, first, 0 };
    uint64_t bits = first;
    while (bits <= last) {
        int n = 0;
        for (; n < block; n++, bits += stride) {
            const uint32_t u = bits <= last ? (uint32_t)bits : last;
            memcpy(&x[n], &u, sizeof u);
        }
        table->unary[function](x, y, block);
        for (n = 0; n < block; n++) {
            const double ulp = elementary_ulp(y[n], elementary_functions[function].exact((double)x[n]));
            if (ulp < 0 ? worst.wrong++ == 0 : worst.wrong == 0 && ulp > worst.ulp) {
                worst.ulp = ulp < 0 ? worst.ulp : ulp;
                memcpy(&worst.at, &x[n], sizeof worst.at);
            }
        }
    }
    return worst;
}

/* ---------------------------------------------------------------------------------------------------------------- digest */

enum { digest_block = 256 };

static uint64_t digest_add(uint64_t digest, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, &values[i], sizeof u);
        if ((u & 0x7fffffff) > 0x7f800000)
            u = 0x7fc00000;
        digest = (digest ^ u) * UINT64_C(0x100000001b3);
        digest ^= digest >> 29;
    }
    return digest;
}

/* A float of any kind: all exponents, and often the edges of the format. */
static float any_float(random_source *random)
{
    static const uint32_t edges[] = { 0,          1,          0x007fffff, 0x00800000, 0x3f800000, 0x3f7fffff,
                                      0x7f7fffff, 0x7f800000, 0x7fc00000, 0x3f000000, 0x4b000000, 0x34000000 };
    uint32_t u = (uint32_t)random_u64(random);
    float x;
    if (random_below(random, 16) == 0)
        u = (u & 0x80000000) | RANDOM_OF(random, edges);
    memcpy(&x, &u, sizeof x);
    return x;
}

/* A delta of any size with rates of a plausible one; |delta turn| <= 2^20. */
static void any_rates(random_source *random, float *delta, float *decay, float *turn, float *turn_lo)
{
    static const float scales[] = { 0x1p-149f, 0x1p-126f, 0x1p-60f, 0x1p-20f, 0x1p-10f, 0x1p-3f, 1.0f, 32.0f };
    *decay = -fabsf(random_uniform(random)) * (random_below(random, 8) ? 4.0f : 1024.0f);
    *turn = random_uniform(random) * (random_below(random, 8) ? 4.0f : 1024.0f);
    *turn_lo = *turn * 0x1p-24f * random_uniform(random);
    *delta = fabsf(random_uniform(random)) * RANDOM_OF(random, scales);
}

uint64_t elementary_digest(const elementary_table *table)
{
    float a[digest_block], b[digest_block], c[digest_block], d[digest_block], out[ELEMENTARY_LAYER * digest_block];
    random_source random = { 6 };
    uint64_t digest = 0;
    for (int round = 0; round < 400; round++) {
        for (int i = 0; i < digest_block; i++) {
            a[i] = round & 1 ? any_float(&random) : 16.0f * random_normal(&random);
            b[i] = any_float(&random);
            c[i] = any_float(&random);
        }
        for (int f = 0; f < ELEMENTARY_UNARY; f++) {
            table->unary[f](a, out, digest_block);
            digest = digest_add(digest, out, digest_block);
        }
        table->fma(a, b, c, out, digest_block);
        digest = digest_add(digest, out, 3 * digest_block);
        table->layer(a, b, out, digest_block);
        digest = digest_add(digest, out, ELEMENTARY_LAYER * digest_block);
        for (int i = 0; i < digest_block; i++)
            any_rates(&random, &a[i], &b[i], &c[i], &d[i]);
        table->factors(a, b, c, d, out, digest_block);
        digest = digest_add(digest, out, 5 * digest_block);
    }
    return digest;
}
