/* limits.c - read bandwidth and multiply-add peak, with vectors of each width */
#define _POSIX_C_SOURCE 200809L
#include "limits.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { MAX_STREAMS = 16, FMA_CHAINS = 12, FMA_ROUNDS = 1000000 };

double limits_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * One pair of loops for a vector type: the sum of n_streams sequences of n floats each, and FMA_CHAINS independent chains of
 * multiply-adds. The results are returned so that nothing is optimised away.
 */
#define LIMIT_LOOPS(isa, attribute, vector, lanes, zero, load, add, set, fma, first)                                     \
    attribute static float read_##isa(const float *p, size_t n, size_t n_streams)                                        \
    {                                                                                                                    \
        vector sum[MAX_STREAMS];                                                                                         \
        float total = 0;                                                                                                 \
        for (size_t s = 0; s < MAX_STREAMS; s++)                                                                         \
            sum[s] = zero;                                                                                               \
        for (size_t i = 0; i + 16 <= n; i += 16)                                                                         \
            for (size_t s = 0; s < n_streams; s++)                                                                       \
                for (size_t k = 0; k < 16; k += lanes)                                                                   \
                    sum[s] = add(sum[s], load(p + s * n + i + k));                                                       \
        for (size_t s = 0; s < MAX_STREAMS; s++)                                                                         \
            total += first(sum[s]);                                                                                      \
        return total;                                                                                                    \
    }                                                                                                                    \
    attribute static float fma_##isa(float seed)                                                                         \
    {                                                                                                                    \
        vector a = set(seed), x = set(1.0f - 0x1p-20f), y = set(0x1p-20f);                                               \
        /* all different, or they would be one chain to the compiler */                                                  \
        vector b = add(a, x), c = add(b, x), d = add(c, x), e = add(d, x), f = add(e, x), g = add(f, x);                 \
        vector h = add(g, x), i = add(h, x), j = add(i, x), k = add(j, x), l = add(k, x);                                \
        for (size_t round = 0; round < FMA_ROUNDS; round++) {                                                            \
            a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y), d = fma(d, x, y);                                      \
            e = fma(e, x, y), f = fma(f, x, y), g = fma(g, x, y), h = fma(h, x, y);                                      \
            i = fma(i, x, y), j = fma(j, x, y), k = fma(k, x, y), l = fma(l, x, y);                                      \
        }                                                                                                                \
        a = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));                                                   \
        return first(add(a, add(add(i, j), add(k, l))));                                                                 \
    }

#if defined(__x86_64__)
#define FIRST_512(v) _mm512_cvtss_f32(v)
#define FIRST_256(v) _mm256_cvtss_f32(v)
#define MULTIPLY_ADD_128(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
LIMIT_LOOPS(avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_add_ps,
            _mm512_set1_ps, _mm512_fmadd_ps, FIRST_512)
LIMIT_LOOPS(avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_add_ps,
            _mm256_set1_ps, _mm256_fmadd_ps, FIRST_256)
LIMIT_LOOPS(plain, , __m128, 4, _mm_setzero_ps(), _mm_loadu_ps, _mm_add_ps, _mm_set1_ps, MULTIPLY_ADD_128, _mm_cvtss_f32)
enum { PLAIN_LANES = 4 };
#elif defined(__aarch64__)
#define MULTIPLY_ADD_NEON(a, b, c) vfmaq_f32(c, a, b)
#define FIRST_NEON(v) vgetq_lane_f32(v, 0)
LIMIT_LOOPS(plain, , float32x4_t, 4, vdupq_n_f32(0), vld1q_f32, vaddq_f32, vdupq_n_f32, MULTIPLY_ADD_NEON, FIRST_NEON)
enum { PLAIN_LANES = 4 };
#else
#define PLAIN_LOAD(p) (*(p))
#define PLAIN_ADD(a, b) ((a) + (b))
#define PLAIN_SET(a) (a)
#define MULTIPLY_ADD_PLAIN(a, b, c) ((a) * (b) + (c))
LIMIT_LOOPS(plain, , float, 1, 0, PLAIN_LOAD, PLAIN_ADD, PLAIN_SET, MULTIPLY_ADD_PLAIN, PLAIN_SET)
enum { PLAIN_LANES = 1 };
#endif

/* One measurement, shared by the threads that take part in it. */
typedef struct measurement {
    const char *isa;
    const float *memory;
    size_t n_floats; /* a stream */
    size_t n_streams;
    float sink[256];
} measurement;

static void read_share(void *context, size_t index)
{
    measurement *m = context;
    const float *p = m->memory + index * m->n_streams * m->n_floats;
#if defined(__x86_64__)
    if (strncmp(m->isa, "avx512", 6) == 0 || strcmp(m->isa, "amx") == 0) {
        m->sink[index] = read_avx512(p, m->n_floats, m->n_streams);
        return;
    }
    if (strcmp(m->isa, "avx2") == 0) {
        m->sink[index] = read_avx2(p, m->n_floats, m->n_streams);
        return;
    }
#endif
    m->sink[index] = read_plain(p, m->n_floats, m->n_streams);
}

static void multiply_share(void *context, size_t index)
{
    measurement *m = context;
#if defined(__x86_64__)
    if (strncmp(m->isa, "avx512", 6) == 0 || strcmp(m->isa, "amx") == 0) {
        m->sink[index] = fma_avx512((float)index);
        return;
    }
    if (strcmp(m->isa, "avx2") == 0) {
        m->sink[index] = fma_avx2((float)index);
        return;
    }
#endif
    m->sink[index] = fma_plain((float)index);
}

static double time_shares(const b2s6_parallel *parallel, size_t n_threads, void (*share)(void *, size_t), measurement *m)
{
    double begin = limits_now();
    if (parallel)
        parallel->run(parallel->user, n_threads, share, m);
    else
        share(m, 0);
    return limits_now() - begin;
}

double limits_read_gbs(const b2s6_parallel *parallel, size_t n_threads, const char *isa, size_t n_bytes)
{
    size_t n = n_bytes / sizeof(float);
    float *memory = malloc(n * sizeof *memory);
    measurement m = { isa, memory, 0, 0, { 0 } };
    double best = 0;
    if (!memory)
        return 0;
    for (size_t i = 0; i < n; i++)
        memory[i] = (float)(i % 7);
    for (int repeat = 0; repeat < 3; repeat++) {
        for (m.n_streams = 1; m.n_streams <= MAX_STREAMS; m.n_streams *= 2) {
            m.n_floats = n / n_threads / m.n_streams / 16 * 16;
            double seconds = time_shares(parallel, n_threads, read_share, &m);
            double rate = 1e-9 * (double)(m.n_floats * m.n_streams * n_threads * sizeof(float)) / seconds;
            best = rate > best ? rate : best;
        }
    }
    free(memory);
    return best;
}

static double lanes_of(const char *isa)
{
#if defined(__x86_64__)
    if (strncmp(isa, "avx512", 6) == 0 || strcmp(isa, "amx") == 0)
        return 16;
    if (strcmp(isa, "avx2") == 0)
        return 8;
#endif
    (void)isa;
    return PLAIN_LANES;
}

double limits_fma_gflops(const b2s6_parallel *parallel, size_t n_threads, const char *isa)
{
    double best = 0;
    measurement m = { isa, NULL, 0, 0, { 0 } };
    for (int repeat = 0; repeat < 20; repeat++) {
        double seconds = time_shares(parallel, n_threads, multiply_share, &m);
        double rate = 1e-9 * 2 * lanes_of(isa) * FMA_CHAINS * (double)FMA_ROUNDS * (double)n_threads / seconds;
        best = rate > best ? rate : best;
    }
    return best;
}
