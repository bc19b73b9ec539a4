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
#define DIGEST UINT64_C(0x37d139cc9aaa3b2d)

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

/* A number of quarter turns, or of powers of two, a unit of x as the converter makes it: a double in two floats. */
static void random_rate(random_source *random, float *hi, float *lo)
{
    const double significand = 1 + (double)(random_u64(random) >> 12) * 0x1p-52; /* a statement each: one order of draws */
    const double rate = ldexp(significand, (int)random_below(random, 20) - 12);
    *hi = (float)rate;
    *lo = (float)(rate - (double)*hi);
}

static float random_size(random_source *random, int least, int greatest)
{
    const int exponent = least + (int)random_below(random, (uint32_t)(greatest - least + 1));
    return ldexpf(1 + (float)(random_u64(random) >> 41) * 0x1p-23f, exponent);
}

static void errors_of_decay(void)
{
    random_source random = { 1 };
    float x[block], hi[block], lo[block], out[2 * block];
    double worst[2] = { 0, 0 };
    for (int round = 0; round < 1500; round++) {
        for (int i = 0; i < block; i++) {
            random_rate(&random, &hi[i], &lo[i]);
            hi[i] = -hi[i];
            lo[i] = -lo[i];
            x[i] = round & 1 ? random_size(&random, -12, 10) : random_size(&random, -108, 127);
        }
        widest()->decay(x, hi, lo, out, block);
        for (int i = 0; i < block; i++) {
            double exact[2];
            elementary_exact_decay(x[i], hi[i], lo[i], exact);
            const double exponent = (double)x[i] * (double)hi[i];
            test_context("x = %a, hi = %a, lo = %a", (double)x[i], (double)hi[i], (double)lo[i]);
            if (exponent < -126.5) { /* promised to be nothing */
                CHECK(out[i] == 0 && out[block + i] == -1);
                continue;
            }
            for (int j = 0; j < 2; j++) {
                const double ulp = elementary_ulp(out[j * block + i], exact[j]);
                if (j == 0 && exponent < -125.5 && out[i] == 0)
                    continue; /* the last power of two may round either way */
                CHECK(ulp >= 0 && ulp <= 2);
                worst[j] = fmax(worst[j], ulp);
            }
        }
    }
    test_note("2^t: %.3f ulp, 2^t - 1: %.3f ulp", worst[0], worst[1]);
}

/* Sine, cosine and cosine - 1, x from 2^least to 2^(greatest + 1). The last inherits twice the error of the
 * reduced angle, hence its larger bound; it is small against the sine then. */
static void cis_errors(uint64_t seed, int least, int greatest)
{
    double worst[3] = { 0, 0, 0 };
    random_source random = { seed };
    float x[block], hi[block], lo[block], out[3 * block];
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < block; i++) {
            random_rate(&random, &hi[i], &lo[i]);
            x[i] = random_size(&random, least, greatest);
            if (random_below(&random, 2)) {
                hi[i] = -hi[i];
                lo[i] = -lo[i];
            }
        }
        widest()->cis(x, hi, lo, out, block);
        for (int i = 0; i < block; i++) {
            double exact[3];
            elementary_exact_cis(x[i], hi[i], lo[i], exact);
            /* after the first quarter turn 2^-47 of the angle comes on top of the units in the last place */
            const double turns = fabs((double)x[i] * (double)hi[i]);
            const double slack = turns < 0.5 ? 0 : turns < 65536 ? turns * 0x1p-47 : 0x1p-60;
            for (int j = 0; j < 3; j++) {
                const float value = out[j * block + i];
                const double error = (double)value - exact[j];
                if (!(fabs(error) <= slack))
                    worst[j] = fmax(worst[j], elementary_ulp(value, exact[j] + copysign(slack, error)));
                test_context("x = %a, hi = %a, lo = %a: %a", (double)x[i], (double)hi[i], (double)lo[i], (double)value);
                CHECK(worst[j] <= (j < 2 ? 2 : 5.5));
            }
        }
    }
    test_note("x from 2^%d to 2^%d: sine %.3f, cosine %.3f, cosine - 1 %.3f ulp", least, greatest + 1, worst[0], worst[1],
              worst[2]);
}

static void errors_of_sine_and_cosine(void)
{
    cis_errors(1, -105, -10);
    cis_errors(2, -10, 10);
    cis_errors(3, 8, 22);
    cis_errors(4, 20, 127); /* reduced by integers */
}

static void products_at_edges(void)
{
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t t = 0; t < n; t++) {
        float x[16] = { 0, INFINITY, NAN, 0x1p-149f, 1, 1, 0x1.fffffep127f, 0x1p127f }, lo[16] = { 0 }, out[48];
        float hi[16] = { 3, 3, 3, 3, INFINITY, NAN, 0, 0x1p127f };
        test_context("%s", tables[t]->isa);
        tables[t]->cis(x, hi, lo, out, 16);
        CHECK(out[0] == 0 && out[16] == 1 && out[32] == 0);
        for (int i = 0; i < 48; i += 16)
            CHECK(isnan(out[i + 1]) && isnan(out[i + 2]) && isnan(out[i + 4]) && isnan(out[i + 5]));
        CHECK(out[3] == 5 * 0x1p-149f && out[19] == 1); /* 3 pi/2 */
        CHECK(out[6] == 0 && out[22] == 1 && out[38] == 0);
        CHECK(out[7] == 0 && out[23] == 1 && out[39] == 0); /* a multiple of four */
        for (int i = 0; i < 16; i++)
            hi[i] = -3;
        tables[t]->decay(x, hi, lo, out, 16);
        CHECK(out[0] == 1 && out[16] == 0);
        CHECK(out[1] == 0 && out[17] == -1);
        CHECK(isnan(out[2]) && isnan(out[18]));
        CHECK(out[3] == 1 && out[19] == -2 * 0x1p-149f); /* 3 ln 2 */
        CHECK(out[6] == 0 && out[22] == -1);
    }
}

static void near_angles_have_the_same_bits(void)
{
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    random_source random = { 5 };
    float x[block], hi[block], lo[block], all[3 * block], near[3 * block];
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < block; i++) {
            do {
                random_rate(&random, &hi[i], &lo[i]);
                x[i] = random_size(&random, -149, 26);
            } while (x[i] * hi[i] >= 65535.0f);
        }
        for (size_t t = 0; t < n; t++) {
            test_context("%s", tables[t]->isa);
            tables[t]->cis(x, hi, lo, all, block);
            tables[t]->cis_near(x, hi, lo, near, block);
            CHECK_BYTES(all, near, sizeof all);
        }
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
    TEST(errors_of_unary_functions), TEST(errors_at_seams),   TEST(values_at_edges),
    TEST(errors_of_decay),           TEST(errors_of_sine_and_cosine),
    TEST(products_at_edges),         TEST(near_angles_have_the_same_bits),
    TEST(fused_multiply_add),        TEST(bits_are_the_same_everywhere),
};

static const test_suite suite = TEST_SUITE("elementary", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    return test_run(suites, 1, argc > 1 ? argv[1] : NULL);
}
