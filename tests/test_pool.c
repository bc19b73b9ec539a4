/* test_pool.c - the pool of threads that the command line program brings: every task once, however many, awake or asleep */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "parallel_for.h"
#include "random.h"
#include "suites.h"

typedef struct tally {
    unsigned count[1000];
} tally;

static void count_one(void *context, size_t index)
{
    ((tally *)context)->count[index]++; /* not atomic: one task a place, and the pool orders its pieces of work */
}

/* Each index once a call, whatever their number; with pauses long enough for the workers to fall asleep. */
static void check_pool(size_t n_threads, size_t n_calls)
{
    static tally t;
    unsigned expected[1000] = { 0 };
    thread_pool *pool = pool_of(n_threads);
    const b2s6_parallel *parallel = thread_pool_parallel(pool);
    random_source random = { n_threads };
    memset(&t, 0, sizeof t);
    for (size_t i = 0; i < n_calls; i++) {
        const size_t n_tasks = i % 7 == 0 ? i % 1000 : random_below(&random, 9);
        const struct timespec pause = { 0, 2000000 };
        parallel->run(parallel->user, n_tasks, count_one, &t);
        for (size_t k = 0; k < n_tasks; k++)
            expected[k]++;
        if (i % 100 == 99) {
            CHECK_BYTES(expected, t.count, sizeof expected);
            nanosleep(&pause, NULL);
        }
    }
    CHECK_BYTES(expected, t.count, sizeof expected);
    thread_pool_destroy(pool);
}

/* One task that waits until the others are done, or gives up after ten seconds. */
typedef struct waiting {
    size_t n_tasks, done; /* done: atomic, of the others */
    int gave_up;
} waiting;

static void wait_in_first(void *context, size_t index)
{
    waiting *w = (waiting *)context;
    const struct timespec pause = { 0, 1000000 };
    if (index != 0) {
        __atomic_add_fetch(&w->done, 1, __ATOMIC_RELAXED);
        return;
    }
    for (int i = 0; i < 10000 && __atomic_load_n(&w->done, __ATOMIC_RELAXED) < w->n_tasks - 1; i++)
        nanosleep(&pause, NULL);
    w->gave_up = __atomic_load_n(&w->done, __ATOMIC_RELAXED) < w->n_tasks - 1;
}

/* A thread that is held up in a task holds up none of the other tasks. */
static void test_held_up(void)
{
    thread_pool *pool = pool_of(2);
    const b2s6_parallel *parallel = thread_pool_parallel(pool);
    for (size_t n_tasks = 3; n_tasks < 12; n_tasks++) {
        waiting w = { n_tasks, 0, 0 };
        test_context("%zu tasks", n_tasks);
        parallel->run(parallel->user, n_tasks, wait_in_first, &w);
        CHECK(!w.gave_up);
    }
    thread_pool_destroy(pool);
}

static void test_pool(void)
{
    CHECK(thread_pool_create(0) == NULL);
    CHECK(thread_pool_create(257) == NULL);
    CHECK(thread_pool_create(SIZE_MAX) == NULL);
    CHECK(thread_pool_parallel(NULL) == NULL);
    thread_pool_destroy(NULL);
    for (size_t i = 0; i < 20; i++) /* created and destroyed without work, awake or asleep */
        thread_pool_destroy(pool_of(1 + i % 5));
    check_pool(1, 1000);
    check_pool(2, 4000);
    check_pool(5, 2000);
    check_pool(256, 50);
}

static const test tests[] = { TEST(test_pool), TEST(test_held_up) };
const test_suite suite_pool = TEST_SUITE("pool", tests);
