/*
 * elementary.c - the elementary functions and the vector layer: errors against double, edges, and equal bits everywhere
 *
 * tests/tools/elementary_exhaustive.c does the same over all 2^32 floats.
 */
#include "elementary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "random.h"
#include "test.h"

enum { block = 256 };

/* The digest of every table on every target with every compiler. It changes when the arithmetic does, and then a model's
 * outputs change their bits. */
#define DIGEST UINT64_C(0x8f87d8860255bba3)

static float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static const elementary_table *widest(void)
{
    const elementary_table *tables[8];
    return tables[elementary_tables(tables) - 1];
}

static void errors_of_unary_functions(void)
{
    for (int f = 0; f < ELEMENTARY_UNARY; f++) {
        const elementary_error e = elementary_scan(widest(), f, 0, UINT32_MAX, 4001);
        test_context("%s at %.9g", elementary_functions[f].name, (double)from_bits(e.at));
        CHECK_EQUAL_U64(0, e.wrong);
        CHECK(e.ulp <= elementary_functions[f].max_ulp);
        test_note("%s: %.3f ulp", elementary_functions[f].name, e.ulp);
    }
}

/* Where a function's formula changes: every float near by. */
static void errors_at_seams(void)
{
    static const float seams[] = { 0.125f, 0.25f,  0.5f,   1.0f,   2.0f,   4.0f,  8.0f,     13.2f,     14.2f,     15.0f, 17.3f,
                                   0x1p-126f, 87.33f, 88.72f, 103.97f, 104.0f, 108.6f, 110.0f, 0x1p-24f, 0x1.62e43p-2f };
    for (int f = 0; f < ELEMENTARY_UNARY; f++)
        for (size_t i = 0; i < sizeof seams / sizeof seams[0]; i++)
            for (uint32_t sign = 0; sign < 2; sign++) {
                uint32_t u;
                memcpy(&u, &seams[i], sizeof u);
                u |= sign << 31;
                const elementary_error e = elementary_scan(widest(), f, u - 2000, u + 2000, 1);
                test_context("%s at %.9g", elementary_functions[f].name, (double)from_bits(e.at));
                CHECK_EQUAL_U64(0, e.wrong);
                CHECK(e.ulp <= elementary_functions[f].max_ulp);
            }
}

static void values_at_edges(void)
{
    /* in the order of elementary_functions: at 0, infinity, -infinity */
    static const float expected[ELEMENTARY_UNARY][3] = {
        { 1, INFINITY, 0 }, { 0x1.62e43p-1f, INFINITY, 0 }, { 0.5f, 1, 0 }, { 0, INFINITY, 0 }, { 0, INFINITY, 0 },
    };
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t t = 0; t < n; t++)
        for (int f = 0; f < ELEMENTARY_UNARY; f++) {
            float x[16] = { 0, INFINITY, -INFINITY, NAN }, y[16];
            tables[t]->unary[f](x, y, 16);
            test_context("%s, %s", tables[t]->isa, elementary_functions[f].name);
            for (int i = 0; i < 3; i++)
                CHECK(y[i] == expected[f][i]);
            CHECK(isnan(y[3]));
        }
}

static float random_size(random_source *random, int least, int greatest)
{
    const int exponent = least + (int)random_below(random, (uint32_t)(greatest - least + 1));
    return ldexpf(1 + (float)(random_u64(random) >> 41) * 0x1p-23f, exponent);
}

/*
 * exp(z) = scale (1 + re + i im) for steps and angles up to most radians: the error of exp(z) in units of 2^-24 of its size, and of
 * exp(z) - 1 of slow modes, which scale 1 keeps apart, in units of 2^-24 of its own. Of an angle b of many turns exp(z)
 * loses up to p 2^-24 b where a step decays by p, since the rest of the angle is not in the cosine that p multiplies.
 */
static void factor_errors(const elementary_table *table, uint64_t seed, double most)
{
    float delta[block], decay[block], turn[block], turn_lo[block], out[5 * block];
    random_source random = { seed };
    double worst[3] = { 0, 0, 0 };
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < block; i++) {
            const double a = pow(2, -30 + 37 * fabs((double)random_uniform(&random)));
            const double b = most * pow(2, -30 * fabs((double)random_uniform(&random)));
            double turns;
            delta[i] = random_size(&random, -20, 6);
            decay[i] = (float)(-a / (double)delta[i]);
            turns = (random_below(&random, 2) ? b : -b) / (double)delta[i] / 3.14159265358979323846;
            turn[i] = (float)turns;
            turn_lo[i] = (float)(3.14159265358979323846 * (turns - (double)turn[i]));
        }
        table->factors(delta, decay, turn, turn_lo, out, block);
        for (int i = 0; i < block; i++) {
            double exact[4], scale = (double)out[i], re = scale * (double)out[block + i], im = scale * (double)out[2 * block + i];
            elementary_exact_factor(delta[i], decay[i], turn[i], turn_lo[i], exact);
            const double size = hypot(exact[0], exact[1]), w = 0x1p-24 * most, slack = w * w;
            const double whole = hypot(scale + re - exact[0], im - exact[1]);
            const double change = hypot(scale - 1 + re - exact[2], im - exact[1]), real = (double)out[4 * block + i];
            if (size > 0x1p-100)
                worst[0] = fmax(worst[0], (whole / size - slack) * 0x1p24);
            if (scale == 1)
                worst[1] = fmax(worst[1], (change - slack) / hypot(exact[2], exact[1]) * 0x1p24);
            if (out[3 * block + i] == 1)
                worst[2] = fmax(worst[2], elementary_ulp((float)real, exact[3]));
            test_context("%s: delta %a, decay %a, turn %a", table->isa, (double)delta[i], (double)decay[i], (double)turn[i]);
            /* p w sine, p <= 0.42: the cosine beside p lacks the rest w of the angle, at most 2^-24 most */
            CHECK(worst[0] <= 4 + (most < 4 ? 0 : 0.42 * most));
            CHECK(worst[1] <= 4.5 + (most < 4 ? 0 : 0.42 * most)); /* the same: exp(z) - 1 is at least the sine */
            CHECK(worst[2] <= 2.6); /* 1.6 for an exact argument; the product delta decay is rounded */
        }
    }
    test_note("%s, angles to %g: exp(z) %.2f, exp(z) - 1 of slow modes %.2f units of 2^-24, 2^t - 1 %.2f ulp", table->isa, most,
              worst[0], worst[1], worst[2]);
}

static void errors_of_factors(void)
{
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t t = 0; t < n; t++) {
        factor_errors(tables[t], 1, 0.01);
        factor_errors(tables[t], 2, 3.14159);
        factor_errors(tables[t], 3, 1000);
    }
}

/* Steps of 0, without end, and of no size; one value each. */
static void factors_at_edges(void)
{
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t t = 0; t < n; t++) {
        float delta[16] = { 0, INFINITY, NAN, 0x1p-149f }, decay[16], turn[16] = { 0 }, turn_lo[16] = { 0 }, out[80];
        for (int i = 0; i < 16; i++)
            decay[i] = -3;
        test_context("%s", tables[t]->isa);
        tables[t]->factors(delta, decay, turn, turn_lo, out, 16);
        CHECK(out[0] == 1 && out[16] == 0 && out[32] == 0);
        CHECK(out[48 + 1] == 0x1p-126f && isfinite(out[64 + 1]));
        CHECK(isnan(out[16 + 2]) && isnan(out[64 + 2]));
        CHECK(out[3] == 1 && out[64 + 3] == -2 * 0x1p-149f); /* 3 ln 2 */
    }
}

/* a b + c close to half way between two floats, or subnormal, or cancelling, or anything at all. */
static void random_fma(random_source *random, float *a, float *b, float *c)
{
    static const float nearly_one[] = { 1, 1 - 0x1p-24f, 1 + 0x1p-23f, -1, -1 + 0x1p-24f, 2, 3 };
    static const int exponents[] = { -150, -149, -148, -127, -126, -125, -100, -1, 0, 1, 100, 126, 127 };
    const int exponent = RANDOM_OF(random, exponents);
    *a = from_bits((uint32_t)random_u64(random));
    *b = from_bits((uint32_t)random_u64(random));
    *c = from_bits((uint32_t)random_u64(random));
    switch (random_below(random, 4)) {
    case 0:
        break;
    case 1: /* an odd multiple of half of c's last place, exactly or nearly */
        *c = ldexpf((float)(0x800000 + random_below(random, 0x800000)), exponent - 23);
        *a = ldexpf((float)(2 * random_below(random, 0x400000) + 1), exponent - 24);
        *b = RANDOM_OF(random, nearly_one);
        break;
    case 2: /* the product alone decides, at the edge of the format */
        *a = random_size(random, -80, -40);
        *b = random_size(random, -149 - ilogbf(*a), -120 - ilogbf(*a));
        *c = random_below(random, 2) ? ldexpf((float)random_below(random, 256), -149) : 0.0f;
        break;
    default: /* cancellation */
        *a = random_size(random, -60, 60);
        *b = -random_size(random, -60, 60);
        *c = -(*a * *b);
        if (random_below(random, 2))
            *c = nextafterf(*c, random_below(random, 2) ? INFINITY : 0.0f);
        break;
    }
}

static void fused_multiply_add(void)
{
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    random_source random = { 7 };
    float a[block], b[block], c[block], out[3 * block];
    for (int round = 0; round < 4000; round++) {
        for (int i = 0; i < block; i++)
            random_fma(&random, &a[i], &b[i], &c[i]);
        for (size_t t = 0; t < n; t++) {
            tables[t]->fma(a, b, c, out, block);
            for (int i = 0; i < block; i++) {
                const float exact[3] = { fmaf(a[i], b[i], c[i]), fmaf(-a[i], b[i], c[i]), fmaf(a[i], b[i], -c[i]) };
                for (int j = 0; j < 3; j++)
                    if (memcmp(&exact[j], &out[j * block + i], sizeof exact[j]) != 0 && !(isnan(exact[j]) && isnan(out[j * block + i]))) {
                        test_context("%s %d: %a %a %a", tables[t]->isa, j, (double)a[i], (double)b[i], (double)c[i]);
                        CHECK_BITS(&exact[j], &out[j * block + i], 1);
                    }
            }
        }
    }
}

static void bits_are_the_same_everywhere(void)
{
    static const char *all[] = { "portable", "fma_double", "fma_integer", "sse2", "avx2", "avx512", "neon" };
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        size_t t = 0;
        while (t < n && strcmp(tables[t]->isa, all[i]) != 0)
            t++;
        if (t == n)
            test_note("%s: this machine cannot run it", all[i]);
    }
    for (size_t t = 0; t < n; t++) {
        const uint64_t digest = elementary_digest(tables[t]);
        test_context("%s: %016" PRIx64, tables[t]->isa, digest);
        CHECK_EQUAL_U64(DIGEST, digest);
    }
}

static const test tests[] = {
    TEST(errors_of_unary_functions), TEST(errors_at_seams),      TEST(values_at_edges),
    TEST(errors_of_factors),         TEST(factors_at_edges),     TEST(fused_multiply_add),
    TEST(bits_are_the_same_everywhere),
};

static const test_suite suite = TEST_SUITE("elementary", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    return test_run(suites, 1, argc > 1 ? argv[1] : NULL);
}
