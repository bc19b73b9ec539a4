/*
 * limits_ways.c - see limits_ways.h
 *
 * The loops are macros over a vector type. Everything is written out, as a loop over an array of accumulators would keep them
 * in memory and measure that.
 */
#include "limits_ways.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { ROUNDS = 400000, TILE_ROUNDS = 100000, AHEAD = 1024 /* bytes: as far as the kernels of products fetch, or farther */ };

#define FETCH_NOT(p) (void)0
#define FETCH_KEEP(p) __builtin_prefetch((const char *)(p) + AHEAD, 0, 3)
#define FETCH_NTA(p) __builtin_prefetch((const char *)(p) + AHEAD, 0, 0)

/* Eight sums, each a chain of additions: more than enough for two loads a cycle. */
#define READ_LOOP(name, attribute, vector, lanes, zero, load, add, first, fetch)                                         \
    attribute static float name(const float *p, size_t n, size_t n_streams)                                              \
    {                                                                                                                    \
        vector a = zero, b = zero, c = zero, d = zero, e = zero, f = zero, g = zero, h = zero;                           \
        for (size_t i = 0; i < n; i += READ_BLOCK) {                                                                     \
            for (size_t s = 0; s < n_streams; s++) {                                                                     \
                const float *q = p + s * n + i;                                                                          \
                for (size_t line = 0; line < READ_BLOCK; line += 16)                                                     \
                    fetch(q + line);                                                                                     \
                for (size_t k = 0; k < READ_BLOCK; k += 8 * lanes) {                                                     \
                    a = add(a, load(q + k)), b = add(b, load(q + k + lanes));                                            \
                    c = add(c, load(q + k + 2 * lanes)), d = add(d, load(q + k + 3 * lanes));                            \
                    e = add(e, load(q + k + 4 * lanes)), f = add(f, load(q + k + 5 * lanes));                            \
                    g = add(g, load(q + k + 6 * lanes)), h = add(h, load(q + k + 7 * lanes));                            \
                }                                                                                                        \
            }                                                                                                            \
        }                                                                                                                \
        return first(add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))));                                         \
    }
#define READ_LOOPS(isa, attribute, vector, lanes, zero, load, add, first)                                                \
    READ_LOOP(read_##isa, attribute, vector, lanes, zero, load, add, first, FETCH_NOT)                                   \
    READ_LOOP(read_##isa##_keep, attribute, vector, lanes, zero, load, add, first, FETCH_KEEP)                           \
    READ_LOOP(read_##isa##_once, attribute, vector, lanes, zero, load, add, first, FETCH_NTA)
#define READING(isa) { { read_##isa, read_##isa##_keep, read_##isa##_once } }

/*
 * Chains of acc = step(acc): twelve, which hides a latency of five or six with two units; twenty-four for machines with four
 * units and thirty-two registers. All chains are different, or they would be one to the compiler.
 */
#define MULTIPLY_12(name, attribute, vector, set, add, step, first)                                                      \
    attribute static float name(float seed)                                                                              \
    {                                                                                                                    \
        vector x = set(1.0f - 0x1p-20f), y = set(0x1p-20f);                                                              \
        vector a = set(seed), b = add(a, x), c = add(b, x), d = add(c, x), e = add(d, x), f = add(e, x);                 \
        vector g = add(f, x), h = add(g, x), i = add(h, x), j = add(i, x), k = add(j, x), l = add(k, x);                 \
        for (size_t round = 0; round < ROUNDS; round++) {                                                                \
            a = step(a, x, y), b = step(b, x, y), c = step(c, x, y), d = step(d, x, y);                                  \
            e = step(e, x, y), f = step(f, x, y), g = step(g, x, y), h = step(h, x, y);                                  \
            i = step(i, x, y), j = step(j, x, y), k = step(k, x, y), l = step(l, x, y);                                  \
        }                                                                                                                \
        a = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));                                                   \
        return first(add(a, add(add(i, j), add(k, l))));                                                                 \
    }
#define OPERATIONS(chains, multiply_adds) (2.0 * (chains) * (multiply_adds) * ROUNDS)

#if defined(__x86_64__)

#define WITH(features) __attribute__((target(features)))
#define FIRST_512(v) _mm512_cvtss_f32(v)
#define FIRST_256(v) _mm256_cvtss_f32(v)
#define STEP_128(a, x, y) _mm_add_ps(_mm_mul_ps(a, x), y)

READ_LOOPS(avx512, WITH("avx512f"), __m512, 16, _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_add_ps, FIRST_512)
READ_LOOPS(avx2, WITH("avx2,fma"), __m256, 8, _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_add_ps, FIRST_256)
READ_LOOPS(sse2, , __m128, 4, _mm_setzero_ps(), _mm_loadu_ps, _mm_add_ps, _mm_cvtss_f32)
MULTIPLY_12(fma_avx512, WITH("avx512f"), __m512, _mm512_set1_ps, _mm512_add_ps, _mm512_fmadd_ps, FIRST_512)
MULTIPLY_12(fma_avx2, WITH("avx2,fma"), __m256, _mm256_set1_ps, _mm256_add_ps, _mm256_fmadd_ps, FIRST_256)
MULTIPLY_12(fma_sse2, , __m128, _mm_set1_ps, _mm_add_ps, STEP_128, _mm_cvtss_f32)

/* Integers start from the seed's bits and those of x and y, which is as good as any. */
#define SET_512I(value) _mm512_castps_si512(_mm512_set1_ps(value))
#define SET_256I(value) _mm256_castps_si256(_mm256_set1_ps(value))
#define SET_128I(value) _mm_castps_si128(_mm_set1_ps(value))
/* In assembly: of the intrinsic gcc makes a copy a call, and measures those. */
WITH("avx512f,avx512vnni") static inline __m512i step_vnni(__m512i a, __m512i x, __m512i y)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(a) : "v"(x), "v"(y));
    return a;
}
#define STEP_512I(a, x, y) _mm512_add_epi32(_mm512_madd_epi16(a, x), y)
#define STEP_256I(a, x, y) _mm256_add_epi32(_mm256_madd_epi16(a, x), y)
#define STEP_128I(a, x, y) _mm_add_epi32(_mm_madd_epi16(a, x), y)
#define FIRST_512I(v) (float)_mm_cvtsi128_si32(_mm512_castsi512_si128(v))
#define FIRST_256I(v) (float)_mm_cvtsi128_si32(_mm256_castsi256_si128(v))
#define FIRST_128I(v) (float)_mm_cvtsi128_si32(v)
MULTIPLY_12(dot_vnni, WITH("avx512f,avx512vnni"), __m512i, SET_512I, _mm512_add_epi32, step_vnni, FIRST_512I)
MULTIPLY_12(dot_avx512, WITH("avx512f,avx512bw"), __m512i, SET_512I, _mm512_add_epi32, STEP_512I, FIRST_512I)
MULTIPLY_12(dot_avx2, WITH("avx2"), __m256i, SET_256I, _mm256_add_epi32, STEP_256I, FIRST_256I)
MULTIPLY_12(dot_sse2, , __m128i, SET_128I, _mm_add_epi32, STEP_128I, FIRST_128I)

/* Four chains of 16 x 64 bytes times 64 x 16; zeros, since they take the time of any other bytes. */
WITH("amx-tile,amx-int8") static float dot_amx(float seed)
{
    struct {
        unsigned char palette, start_row, reserved[14];
        unsigned short row_bytes[16];
        unsigned char rows[16];
    } tiles;
    memset(&tiles, 0, sizeof tiles);
    tiles.palette = 1;
    for (int i = 0; i < 8; i++) {
        tiles.row_bytes[i] = 64;
        tiles.rows[i] = 16;
    }
    _tile_loadconfig(&tiles);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (size_t round = 0; round < TILE_ROUNDS; round++) {
        _tile_dpbssd(0, 4, 5);
        _tile_dpbssd(1, 4, 5);
        _tile_dpbssd(2, 4, 5);
        _tile_dpbssd(3, 4, 5);
    }
    _tile_release();
    return seed;
}

static const reading readings[] = { READING(avx2), READING(avx512), { { NULL } } };
static const reading readings_avx2[] = { READING(sse2), READING(avx2), { { NULL } } };
static const reading readings_sse2[] = { READING(sse2), { { NULL } } };
static const multiplying floats[] = { { fma_avx2, OPERATIONS(12, 8) }, { fma_avx512, OPERATIONS(12, 16) }, { NULL, 0 } };
static const multiplying floats_avx2[] = { { fma_avx2, OPERATIONS(12, 8) }, { NULL, 0 } };
static const multiplying floats_sse2[] = { { fma_sse2, OPERATIONS(12, 4) }, { NULL, 0 } };
static const multiplying integers_amx[] = {
    { dot_avx2, OPERATIONS(12, 16) },
    { dot_vnni, OPERATIONS(12, 64) },
    { dot_amx, 2.0 * 4 * 16 * 16 * 64 * TILE_ROUNDS },
    { NULL, 0 },
};
static const multiplying integers_vnni[] = { { dot_avx2, OPERATIONS(12, 16) }, { dot_vnni, OPERATIONS(12, 64) }, { NULL, 0 } };
static const multiplying integers_avx512[] = {
    { dot_avx2, OPERATIONS(12, 16) }, { dot_avx512, OPERATIONS(12, 32) }, { NULL, 0 }
};
static const multiplying integers_avx2[] = { { dot_avx2, OPERATIONS(12, 16) }, { NULL, 0 } };
static const multiplying integers_sse2[] = { { dot_sse2, OPERATIONS(12, 8) }, { NULL, 0 } };

static int has_avx512(const char *isa)
{
    return strncmp(isa, "avx512", 6) == 0 || strcmp(isa, "amx") == 0;
}

const reading *limits_readings(const char *isa)
{
    return has_avx512(isa) ? readings : strcmp(isa, "avx2") == 0 ? readings_avx2 : readings_sse2;
}

const multiplying *limits_float_ways(const char *isa)
{
    return has_avx512(isa) ? floats : strcmp(isa, "avx2") == 0 ? floats_avx2 : floats_sse2;
}

const multiplying *limits_integer_ways(const char *isa)
{
    if (strcmp(isa, "amx") == 0)
        return integers_amx;
    if (strcmp(isa, "avx512vnni") == 0)
        return integers_vnni;
    return has_avx512(isa) ? integers_avx512 : strcmp(isa, "avx2") == 0 ? integers_avx2 : integers_sse2;
}

#else

#if defined(__aarch64__)
#define MULTIPLY_24(name, attribute, vector, set, add, step, first)                                                      \
    attribute static float name(float seed)                                                                              \
    {                                                                                                                    \
        vector x = set(1.0f - 0x1p-20f), y = set(0x1p-20f);                                                              \
        vector a = set(seed), b = add(a, x), c = add(b, x), d = add(c, x), e = add(d, x), f = add(e, x);                 \
        vector g = add(f, x), h = add(g, x), i = add(h, x), j = add(i, x), k = add(j, x), l = add(k, x);                 \
        vector m = add(l, x), n = add(m, x), o = add(n, x), p = add(o, x), q = add(p, x), r = add(q, x);                 \
        vector s = add(r, x), t = add(s, x), u = add(t, x), v = add(u, x), w = add(v, x), z = add(w, x);                 \
        for (size_t round = 0; round < ROUNDS; round++) {                                                                \
            a = step(a, x, y), b = step(b, x, y), c = step(c, x, y), d = step(d, x, y);                                  \
            e = step(e, x, y), f = step(f, x, y), g = step(g, x, y), h = step(h, x, y);                                  \
            i = step(i, x, y), j = step(j, x, y), k = step(k, x, y), l = step(l, x, y);                                  \
            m = step(m, x, y), n = step(n, x, y), o = step(o, x, y), p = step(p, x, y);                                  \
            q = step(q, x, y), r = step(r, x, y), s = step(s, x, y), t = step(t, x, y);                                  \
            u = step(u, x, y), v = step(v, x, y), w = step(w, x, y), z = step(z, x, y);                                  \
        }                                                                                                                \
        a = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));                                                   \
        i = add(add(add(i, j), add(k, l)), add(add(m, n), add(o, p)));                                                   \
        q = add(add(add(q, r), add(s, t)), add(add(u, v), add(w, z)));                                                   \
        return first(add(a, add(i, q)));                                                                                 \
    }

#define FIRST_NEON(v) vgetq_lane_f32(v, 0)
#define STEP_NEON(a, x, y) vfmaq_f32(y, a, x)
READ_LOOPS(plain, , float32x4_t, 4, vdupq_n_f32(0), vld1q_f32, vaddq_f32, FIRST_NEON)
MULTIPLY_24(fma_plain, , float32x4_t, vdupq_n_f32, vaddq_f32, STEP_NEON, FIRST_NEON)
#define PLAIN_OPERATIONS OPERATIONS(24, 4)

/* Bytes where there is a dot product of them, else pairs of 16 bits. */
#define SET_NEON(value) vreinterpretq_s32_f32(vdupq_n_f32(value))
#define HALVES(v) vget_low_s16(vreinterpretq_s16_s32(v))
#define STEP_MLAL(a, x, y) vmlal_s16(a, HALVES(x), HALVES(y))
#define FIRST_INTEGER(v) (float)vgetq_lane_s32(v, 0)
#if defined(__clang__)
#define WITH_DOT __attribute__((target("dotprod")))
#else
#define WITH_DOT __attribute__((target("arch=armv8.2-a+dotprod")))
#endif
WITH_DOT static inline int32x4_t step_dot(int32x4_t a, int32x4_t x, int32x4_t y)
{
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(a) : "w"(x), "w"(y));
    return a;
}
MULTIPLY_24(dot_neon, WITH_DOT, int32x4_t, SET_NEON, vaddq_s32, step_dot, FIRST_INTEGER)
MULTIPLY_24(mlal_neon, , int32x4_t, SET_NEON, vaddq_s32, STEP_MLAL, FIRST_INTEGER)
static const multiplying integers_dot[] = { { dot_neon, OPERATIONS(24, 16) }, { NULL, 0 } };
static const multiplying integers[] = { { mlal_neon, OPERATIONS(24, 4) }, { NULL, 0 } };
#else
#define PLAIN_LOAD(p) (*(p))
#define PLAIN_ADD(a, b) ((a) + (b))
#define PLAIN_SET(a) (a)
#define STEP_PLAIN(a, x, y) ((a) * (x) + (y))
READ_LOOPS(plain, , float, 1, 0, PLAIN_LOAD, PLAIN_ADD, PLAIN_SET)
MULTIPLY_12(fma_plain, , float, PLAIN_SET, PLAIN_ADD, STEP_PLAIN, PLAIN_SET)
#define PLAIN_OPERATIONS OPERATIONS(12, 1)

#define SET_INTEGER(value) ((unsigned)((value) * 1048576))
#define STEP_INTEGER(a, x, y) ((a) * (x) + (y))
#define FIRST_UNSIGNED(v) (float)(v)
MULTIPLY_12(integer_plain, , unsigned, SET_INTEGER, PLAIN_ADD, STEP_INTEGER, FIRST_UNSIGNED)
static const multiplying integers[] = { { integer_plain, OPERATIONS(12, 1) }, { NULL, 0 } };
#endif

static const reading readings[] = { READING(plain), { { NULL } } };
static const multiplying floats[] = { { fma_plain, PLAIN_OPERATIONS }, { NULL, 0 } };

const reading *limits_readings(const char *isa)
{
    (void)isa;
    return readings;
}

const multiplying *limits_float_ways(const char *isa)
{
    (void)isa;
    return floats;
}

const multiplying *limits_integer_ways(const char *isa)
{
#if defined(__aarch64__)
    if (strcmp(isa, "neondot") == 0)
        return integers_dot;
#endif
    (void)isa;
    return integers;
}

#endif
