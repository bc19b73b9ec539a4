/*
 * thread_pool.c - a parallel-for on POSIX threads that is never much slower than no threads at all
 *
 * Three rules make it so.
 *
 * The caller waits for no thread that has yet to begin. Tasks are claimed one by one; the caller does what is left of every
 * thread's share, and then waits only for tasks that another thread is in the middle of.
 *
 * Waiting is spinning for about as long as a wake-up takes, then sleep: a processor that sleeps is one on which the
 * scheduler can put the thread that is waited for.
 *
 * Helpers must pay. What a piece of work took is compared with what it would have taken on the caller's thread alone. Losses
 * (pieces too short to share, a busy machine) are paid out of earlier gains; when those are used up the helpers rest, for so
 * long that the loss is a small part of the time.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_THREADS = 256,
    TASKS_A_THREAD = 4,   /* of those that the library is asked for: threads that are done take over what others have left */
    MAX_TASKS = 65535,    /* what a share can count */
    SPIN_NS = 100000,     /* about what it takes to wake a thread, in a virtual machine */
    LOOKS_A_CLOCK = 32,   /* while spinning */
    PIECES_A_CLOCK = 8,   /* while resting */
    CACHE_LINE = 64
};

/* All in nanoseconds, or factors. */
enum {
    CREDIT_MOST = 2000000, /* gains that are remembered */
    CREDIT_LEAST = -100000, /* losses until the helpers rest: two or three wake-ups */
    SHARING_NS = 3000,     /* some fifty lines of cache, from one processor to another */
    REST_FIRST = 32,       /* times the loss; doubled with every loss that no gains came before */
    REST_MOST = 512,
    REST_LONGEST = 250000000
};

/* Tasks next .. end - 1 are still to be claimed: next + end * 65536, changed as one so that no claim is torn. */
typedef struct share {
    uint32_t claim; /* atomic */
    char apart[CACHE_LINE - sizeof(uint32_t)];
} share;

typedef struct worker {
    pthread_t thread;
    thread_pool *pool;
    size_t number; /* 1 .. n_threads - 1; the caller is 0 */
} worker;

struct thread_pool {
    b2s6_parallel parallel;
    size_t n_threads;
    worker workers[MAX_THREADS];

    /* The piece of work in hand: written while no task is claimable, read by who has claimed one. */
    void (*task)(void *context, size_t index);
    void *context;
    int stop;              /* atomic: there is no more work */

    share shares[MAX_THREADS];
    uint32_t n_shares;     /* atomic: of this piece */
    int processor;         /* atomic: that the caller was on when it handed it out */
    uint32_t round;        /* atomic: number of pieces handed out */
    uint32_t sleepers;     /* atomic, changed under the lock */
    char apart[CACHE_LINE]; /* who spins on `round` does not feel every task that is done */
    uint32_t left;         /* atomic: tasks that are not done */
    int caller_sleeps;     /* atomic, changed under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;

    /* The caller's account of what helpers bring. */
    int64_t credit;        /* ns gained */
    int64_t rest_factor;
    int64_t rest_end;      /* of the clock; 0: helpers are at work */
    unsigned rested;       /* pieces done alone */
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The processor that this thread is on, or another number at each call where that cannot be known. */
static int this_processor(void)
{
#if defined(__linux__)
    return sched_getcpu();
#else
    static int unknown;
    return __atomic_add_fetch(&unknown, 1, __ATOMIC_RELAXED);
#endif
}

/*
 * Spins until *value is (equal != 0) or is not (equal == 0) `other`, for SPIN_NS at most; not on the processor
 * `taken`, where it would be in the way of the thread that it waits for. Returns whether it came so.
 */
static int spin(const uint32_t *value, uint32_t other, int equal, const int *taken)
{
    const int64_t begin = now();
    do {
        for (int i = 0; i < LOOKS_A_CLOCK; i++) {
            if ((__atomic_load_n(value, __ATOMIC_ACQUIRE) == other) == equal)
                return 1;
            pause_briefly();
        }
    } while (now() - begin < SPIN_NS && !(taken && this_processor() == __atomic_load_n(taken, __ATOMIC_RELAXED)));
    return 0;
}

/*
 * The next task of a share, if there is one left. It may be of a later piece than the one that this thread looked for: it is
 * claimed all the same, and what it is, is read after the claim.
 */
static int claim(share *s, size_t *index)
{
    uint32_t seen = __atomic_load_n(&s->claim, __ATOMIC_ACQUIRE);
    do {
        if ((seen & 0xffff) >= seen >> 16)
            return 0;
    } while (!__atomic_compare_exchange_n(&s->claim, &seen, seen + 1, 1, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
    *index = seen & 0xffff;
    return 1;
}

/* Wakes one that waits. Whoever looked before what it waits for came true is asleep once the lock can be had. */
static void wake_one(thread_pool *pool, pthread_cond_t *condition)
{
    pthread_mutex_lock(&pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_signal(condition);
}

static void finish(thread_pool *pool, uint32_t n)
{
    if (__atomic_sub_fetch(&pool->left, n, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&pool->caller_sleeps, __ATOMIC_SEQ_CST))
        wake_one(pool, &pool->done);
}

/* Does what can be claimed, of a thread's own share first, which mostly reads what the same thread wrote. Returns how many. */
static uint32_t do_tasks(thread_pool *pool, size_t number)
{
    const uint32_t n_shares = __atomic_load_n(&pool->n_shares, __ATOMIC_RELAXED);
    uint32_t all = 0;
    for (uint32_t k = 0; k < n_shares; k++) {
        share *s = &pool->shares[(number + k) % n_shares];
        uint32_t n = 0;
        for (size_t index; claim(s, &index); n++)
            pool->task(pool->context, index);
        if (n)
            finish(pool, n);
        all += n;
    }
    return all;
}

/* Whether fewer threads are awake than there are shares. */
static int wants_more(thread_pool *pool)
{
    const uint32_t asleep = __atomic_load_n(&pool->sleepers, __ATOMIC_SEQ_CST);
    return asleep && pool->n_threads - asleep < __atomic_load_n(&pool->n_shares, __ATOMIC_RELAXED);
}

/* Waits until the round is another than the one this worker has seen. One that had to be woken wakes the next. */
static uint32_t await_round(thread_pool *pool, uint32_t seen)
{
    uint32_t round;
    if (spin(&pool->round, seen, 0, &pool->processor))
        return __atomic_load_n(&pool->round, __ATOMIC_ACQUIRE);
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    while ((round = __atomic_load_n(&pool->round, __ATOMIC_SEQ_CST)) == seen)
        pthread_cond_wait(&pool->wake, &pool->lock);
    __atomic_sub_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
    if (__atomic_load_n(&pool->left, __ATOMIC_RELAXED) && wants_more(pool))
        wake_one(pool, &pool->wake);
    return round;
}

static void *work(void *argument)
{
    const worker *w = argument;
    thread_pool *pool = w->pool;
    uint32_t round = 0;
    for (;;) {
        round = await_round(pool, round);
        if (__atomic_load_n(&pool->stop, __ATOMIC_RELAXED))
            return NULL;
        do_tasks(pool, w->number);
    }
}

/* Shares for the threads, the first task of all being the caller's. */
static void hand_out(thread_pool *pool, uint32_t n_tasks)
{
    const uint32_t n_shares = n_tasks < pool->n_threads ? n_tasks : (uint32_t)pool->n_threads;
    const uint32_t whole = n_tasks / n_shares, rest = n_tasks % n_shares;
    __atomic_store_n(&pool->left, n_tasks, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->n_shares, n_shares, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->processor, this_processor(), __ATOMIC_RELAXED);
    for (uint32_t i = 0, at = 0; i < n_shares; i++) {
        const uint32_t end = at + whole + (i < rest);
        __atomic_store_n(&pool->shares[i].claim, (at + (i == 0)) | end << 16, __ATOMIC_RELEASE);
        at = end;
    }
    __atomic_add_fetch(&pool->round, 1, __ATOMIC_SEQ_CST);
    if (wants_more(pool))
        wake_one(pool, &pool->wake);
}

static void await_others(thread_pool *pool)
{
    if (spin(&pool->left, 0, 1, NULL))
        return;
    pthread_mutex_lock(&pool->lock);
    __atomic_store_n(&pool->caller_sleeps, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&pool->left, __ATOMIC_SEQ_CST))
        pthread_cond_wait(&pool->done, &pool->lock);
    __atomic_store_n(&pool->caller_sleeps, 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool->lock);
}

/*
 * What a piece would have taken alone, as the caller did `own` of n tasks in own_time. On the caller's thread alone nothing
 * that tasks read comes from another processor's cache, so what that costs is taken off.
 */
static int64_t time_alone(int64_t own_time, int64_t own, int64_t n)
{
    const int64_t apart = own_time > SHARING_NS ? own_time - SHARING_NS : 0;
    return own == n ? own_time : apart * n / own * 7 / 8;
}

/* Puts down what a piece gained, or lost. */
static void account(thread_pool *pool, int64_t gained)
{
    pool->credit += gained;
    if (pool->credit > CREDIT_MOST) {
        pool->credit = CREDIT_MOST;
        pool->rest_factor = REST_FIRST;
    } else if (pool->credit < CREDIT_LEAST) {
        const int64_t rest = -pool->credit * pool->rest_factor;
        pool->rest_end = now() + (rest < REST_LONGEST ? rest : REST_LONGEST);
        pool->rest_factor = pool->rest_factor < REST_MOST ? 2 * pool->rest_factor : REST_MOST;
        pool->credit = 0;
    }
}

static int is_resting(thread_pool *pool)
{
    if (pool->rest_end && ++pool->rested % PIECES_A_CLOCK == 0 && now() >= pool->rest_end)
        pool->rest_end = 0;
    return pool->rest_end != 0;
}

static void run(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    thread_pool *pool = user;
    int64_t begin, handed_out, done, own;
    if (pool->n_threads == 1 || n_tasks < 2 || n_tasks > MAX_TASKS || is_resting(pool)) {
        for (size_t i = 0; i < n_tasks; i++)
            task(context, i);
        return;
    }
    begin = now();
    pool->task = task;
    pool->context = context;
    hand_out(pool, (uint32_t)n_tasks);
    handed_out = now();
    task(context, 0);
    finish(pool, 1);
    own = 1 + do_tasks(pool, 0);
    done = now();
    await_others(pool);
    account(pool, time_alone(done - handed_out, own, (int64_t)n_tasks) - (now() - begin));
}

/* Processors that this process may use. */
static size_t n_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0)
        n = CPU_COUNT(&usable);
#endif
    return n < 1 ? 1 : (size_t)n;
}

thread_pool *thread_pool_create_exactly(size_t n_threads)
{
    thread_pool *pool = n_threads >= 1 && n_threads <= MAX_THREADS ? calloc(1, sizeof *pool) : NULL;
    if (!pool)
        return NULL;
    pool->parallel.user = pool;
    pool->parallel.n_tasks = n_threads == 1 ? 1 : n_threads * TASKS_A_THREAD;
    pool->parallel.run = run;
    pool->rest_factor = REST_FIRST;
    pool->n_threads = n_threads;
    pool->processor = this_processor();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (size_t i = 1; i < n_threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) {
            pool->n_threads = i;
            thread_pool_destroy(pool);
            return NULL;
        }
    }
    return pool;
}

thread_pool *thread_pool_create(size_t n_threads)
{
    const size_t most = n_processors();
    return thread_pool_create_exactly(n_threads <= MAX_THREADS && n_threads > most ? most : n_threads);
}

void thread_pool_destroy(thread_pool *pool)
{
    if (!pool)
        return;
    __atomic_store_n(&pool->stop, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&pool->round, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 1; i < pool->n_threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t thread_pool_threads(const thread_pool *pool)
{
    return pool ? pool->n_threads : 1;
}

const b2s6_parallel *thread_pool_parallel(const thread_pool *pool)
{
    return pool ? &pool->parallel : NULL;
}
