/* limits.c - the fastest of many ways of reading, and of multiplying; see limits.h */
#define _DEFAULT_SOURCE /* madvise */
#include "limits.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "limits_ways.h"

enum { MAX_STREAMS = 16, MAX_SHARES = 256, REPEATS = 12, SLICES = 8, LARGE_PAGE = 2 << 20 };

#define BEYOND_CACHES_LEAST ((size_t)512 << 20)
#define BEYOND_CACHES_MOST ((size_t)1 << 30)
#define READ_AT_ONCE ((size_t)64 << 20) /* bytes that a measurement reads at least */

double limits_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

size_t limits_beyond_caches(void)
{
    size_t n = BEYOND_CACHES_LEAST;
#if defined(_SC_LEVEL3_CACHE_SIZE)
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0 && (size_t)cache > n / 4)
        n = (size_t)cache < BEYOND_CACHES_MOST / 4 ? 4 * (size_t)cache : BEYOND_CACHES_MOST;
#endif
    return n;
}

/* One measurement, shared by the threads that take part in it. */
typedef struct measurement {
    const float *memory;
    size_t n_floats;   /* a stream */
    size_t n_streams, n_passes;
    read_loop *read;
    multiply_loop *multiply;
    float sink[MAX_SHARES];
} measurement;

static void read_share(void *context, size_t index)
{
    measurement *m = context;
    for (size_t pass = 0; pass < m->n_passes; pass++)
        m->sink[index] += m->read(m->memory + index * m->n_streams * m->n_floats, m->n_floats, m->n_streams);
}

static void multiply_share(void *context, size_t index)
{
    measurement *m = context;
    m->sink[index] = m->multiply((float)index);
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

/* Bytes a second from m->memory on, 0 where a stream would be too short. */
static double time_reading(const b2s6_parallel *parallel, size_t n_threads, measurement *m, size_t n_bytes)
{
    m->n_floats = n_bytes / sizeof(float) / n_threads / m->n_streams / READ_BLOCK * READ_BLOCK;
    if (m->n_floats == 0)
        return 0;
    const double bytes = (double)(m->n_floats * m->n_streams * n_threads * sizeof(float));
    m->n_passes = n_bytes < READ_AT_ONCE ? 1 + (size_t)((double)READ_AT_ONCE / bytes) : 1;
    return bytes * (double)m->n_passes / time_shares(parallel, n_threads, read_share, m);
}

/* The fastest way, in *best. Of much memory each way reads a slice, in turn, so that it finds none of its own in a cache. */
static double find_way(const b2s6_parallel *parallel, size_t n_threads, const char *isa, const float *memory, size_t n_bytes,
                       measurement *best)
{
    const size_t n_slices = n_bytes < SLICES * READ_AT_ONCE ? 1 : SLICES, slice = n_bytes / n_slices;
    measurement m = *best;
    double best_rate = 0;
    size_t turn = 0;
    for (const reading *r = limits_readings(isa); r->loop[0]; r++) {
        for (size_t way = 0; way < N_FETCHINGS; way++) {
            for (m.n_streams = 1; m.n_streams <= MAX_STREAMS; m.n_streams *= 2) {
                m.memory = memory + turn++ % n_slices * (slice / sizeof(float));
                m.read = r->loop[way];
                const double rate = time_reading(parallel, n_threads, &m, slice);
                if (rate > best_rate) {
                    best_rate = rate;
                    *best = m;
                }
            }
        }
    }
    return best_rate;
}

/* Every way once, then the best again and again. */
static double best_reading(const b2s6_parallel *parallel, size_t n_threads, const char *isa, const float *memory,
                           size_t n_bytes)
{
    measurement m = { memory, 0, 0, 0, NULL, NULL, { 0 } };
    double best = find_way(parallel, n_threads, isa, memory, n_bytes, &m);
    m.memory = memory;
    for (int repeat = 0; repeat < REPEATS && m.read; repeat++) {
        const double rate = time_reading(parallel, n_threads, &m, n_bytes);
        best = rate > best ? rate : best;
    }
    return best;
}

double limits_read_gbs(const b2s6_parallel *parallel, size_t n_threads, const char *isa, size_t n_bytes)
{
    const size_t size = (n_bytes / LARGE_PAGE + 1) * LARGE_PAGE;
    double best = 0;
    for (int large = 0; large < 2; large++) {
        void *memory;
        if (size < n_bytes || posix_memalign(&memory, LARGE_PAGE, size) != 0)
            break;
#if defined(MADV_HUGEPAGE)
        (void)madvise(memory, size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE); /* a wish: where it is not granted both are alike */
#endif
        for (size_t i = 0; i < size / sizeof(float); i++)
            ((float *)memory)[i] = (float)(i % 7);
        const double rate = best_reading(parallel, n_threads, isa, memory, n_bytes);
        best = rate > best ? rate : best;
        free(memory);
    }
    return 1e-9 * best;
}

static double best_multiplying(const b2s6_parallel *parallel, size_t n_threads, const multiplying *ways)
{
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        for (const multiplying *way = ways; way->loop; way++) {
            measurement m = { NULL, 0, 0, 0, NULL, way->loop, { 0 } };
            const double rate = way->operations * (double)n_threads / time_shares(parallel, n_threads, multiply_share, &m);
            best = rate > best ? rate : best;
        }
    }
    return 1e-9 * best;
}

double limits_fma_gflops(const b2s6_parallel *parallel, size_t n_threads, const char *isa)
{
    return best_multiplying(parallel, n_threads, limits_float_ways(isa));
}

double limits_integer_gops(const b2s6_parallel *parallel, size_t n_threads, const char *isa)
{
    return best_multiplying(parallel, n_threads, limits_integer_ways(isa));
}
