/* test_pool.c - the pool of threads that the command line program brings: every task once, however many, awake or asleep */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void busy(double for_seconds)
{
    const double end = seconds() + for_seconds;
    while (seconds() < end)
        continue;
}

/* Tasks that count themselves and those that another thread than the caller's does, and take some time. */
typedef struct work {
    pthread_t caller;
    double busy_seconds;         /* of each task */
    struct timespec helper_pause; /* in a task on another thread, on top */
    unsigned count, elsewhere;   /* atomic */
} work;

static void do_work(void *context, size_t index)
{
    work *w = (work *)context;
    (void)index;
    if (w->busy_seconds > 0)
        busy(w->busy_seconds);
    __atomic_add_fetch(&w->count, 1, __ATOMIC_RELAXED);
    if (pthread_equal(pthread_self(), w->caller))
        return;
    __atomic_add_fetch(&w->elsewhere, 1, __ATOMIC_RELAXED);
    if (w->helper_pause.tv_nsec)
        nanosleep(&w->helper_pause, NULL);
}

/*
 * Pieces come when the helpers are about to fall asleep, or have just done so, and the caller sleeps while it waits for a
 * helper's task: a wake-up that is lost either way hangs here.
 */
static void test_wake_ups(void)
{
    const size_t n_threads[] = { 2, 3, 16 };
    for (size_t i = 0; i < 3; i++) {
        thread_pool *pool = pool_of(n_threads[i]);
        const b2s6_parallel *parallel = thread_pool_parallel(pool);
        random_source random = { i };
        unsigned expected = 0;
        work w;
        memset(&w, 0, sizeof w);
        w.caller = pthread_self();
        for (size_t k = 0; k < 1000; k++) {
            w.busy_seconds = k % 2 ? 0 : 20e-6;
            w.helper_pause.tv_nsec = k % 50 ? 0 : 2000000;
            parallel->run(parallel->user, 2 + k % 5, do_work, &w);
            expected += 2 + (unsigned)k % 5;
            CHECK(w.count == expected); /* all are done when run returns */
            busy(1e-6 * random_below(&random, 200));
        }
        thread_pool_destroy(pool);
    }
}

/*
 * Many threads on few processors and work of less than a microsecond: single steps of a small model took minutes so, each
 * piece waiting until every thread had been scheduled. Now they take a small part of a second; ten for the slowest machine.
 */
static void test_short_pieces(void)
{
    const size_t n_threads[] = { 2, 4, 8, 64 };
    for (size_t i = 0; i < 4; i++) {
        thread_pool *pool = pool_of(n_threads[i]);
        const b2s6_parallel *parallel = thread_pool_parallel(pool);
        const double begin = seconds();
        work w;
        memset(&w, 0, sizeof w);
        w.caller = pthread_self();
        for (size_t k = 0; k < 100000; k++)
            parallel->run(parallel->user, 2, do_work, &w);
        test_context("%zu threads", n_threads[i]);
        CHECK(w.count == 200000);
        CHECK(seconds() - begin < 10);
        CHECK(w.elsewhere < 100000); /* such pieces are not worth sharing, and most are not shared */
        thread_pool_destroy(pool);
    }
}

/* After work that was not worth sharing there comes work that is: helpers that rest take part again within a second. */
static void test_rest_ends(void)
{
    thread_pool *pool = pool_of(2);
    const b2s6_parallel *parallel = thread_pool_parallel(pool);
    double end;
    work w;
    memset(&w, 0, sizeof w);
    w.caller = pthread_self();
    for (size_t k = 0; k < 100000; k++)
        parallel->run(parallel->user, 2, do_work, &w);
    w.elsewhere = 0;
    w.busy_seconds = 1e-3;
    for (end = seconds() + 20; seconds() < end && w.elsewhere < 20;)
        parallel->run(parallel->user, 8, do_work, &w);
    CHECK(w.elsewhere >= 20);
    thread_pool_destroy(pool);
}

/* No more threads than processors, whatever is asked for; and more tasks than shares can count are done all the same. */
static void test_sizes(void)
{
    thread_pool *pool = thread_pool_create(256);
    const b2s6_parallel *parallel = thread_pool_parallel(pool);
    const size_t n_tasks[] = { 0, 1, 65535, 65536, 200000 };
    CHECK(pool != NULL);
    CHECK(thread_pool_threads(pool) >= 1 && thread_pool_threads(pool) <= (size_t)sysconf(_SC_NPROCESSORS_ONLN));
    CHECK(parallel->n_tasks >= 1 && parallel->n_tasks <= 4 * (size_t)sysconf(_SC_NPROCESSORS_ONLN));
    thread_pool_destroy(pool);
    CHECK_EQUAL_INT(1, thread_pool_threads(NULL));
    pool = pool_of(3);
    CHECK_EQUAL_INT(3, thread_pool_threads(pool));
    parallel = thread_pool_parallel(pool);
    for (size_t i = 0; i < 5; i++) {
        work w;
        memset(&w, 0, sizeof w);
        w.caller = pthread_self();
        parallel->run(parallel->user, n_tasks[i], do_work, &w);
        CHECK_EQUAL_INT(n_tasks[i], w.count);
    }
    thread_pool_destroy(pool);
}

static void test_pool(void)
{
    CHECK(thread_pool_create(0) == NULL);
    CHECK(thread_pool_create(257) == NULL);
    CHECK(thread_pool_create(SIZE_MAX) == NULL);
    CHECK(thread_pool_create_exactly(0) == NULL);
    CHECK(thread_pool_create_exactly(257) == NULL);
    CHECK(thread_pool_parallel(NULL) == NULL);
    thread_pool_destroy(NULL);
    for (size_t i = 0; i < 20; i++) /* created and destroyed without work, awake or asleep */
        thread_pool_destroy(pool_of(1 + i % 5));
    check_pool(1, 1000);
    check_pool(2, 4000);
    check_pool(5, 2000);
    check_pool(256, 50);
}

static const test tests[] = {
    TEST(test_pool),         TEST(test_held_up),   TEST(test_wake_ups),
    TEST(test_short_pieces), TEST(test_rest_ends), TEST(test_sizes),
};
const test_suite suite_pool = TEST_SUITE("pool", tests);
