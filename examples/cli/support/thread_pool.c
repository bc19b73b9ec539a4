/* thread_pool.c - a parallel-for on POSIX threads */
#define _POSIX_C_SOURCE 200809L
#include "thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

/*
 * Work is cut into several tasks a thread. Each does those of its own share, which mostly read what the same thread wrote, and
 * then what is left of the others': a thread that is held up by something else on the machine holds up the others less.
 */
enum { MAX_THREADS = 256, SPINS = 4000, TASKS_A_THREAD = 4 };

typedef struct worker {
    pthread_t thread;
    thread_pool *pool;
    size_t number; /* 1 .. n_threads - 1; the caller is 0 */
    size_t next;   /* atomic: the first task of this thread's share that nobody has taken */
    char apart[64]; /* what one thread counts is in no other's cache line */
} worker;

struct thread_pool {
    b2s6_parallel parallel;
    size_t n_threads;
    worker workers[MAX_THREADS];

    /* the piece of work in hand; written by the caller before it raises `round`, read by the workers after they saw it */
    void (*task)(void *context, size_t index);
    void *context;
    size_t n_tasks;
    int stop;            /* there is no more work */

    unsigned round;      /* atomic: number of pieces handed out */
    size_t busy;         /* atomic: workers that have not finished this one */
    int sleepers;        /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Where the share of a thread begins, and the one before it ends. */
static size_t share_begin(const thread_pool *pool, size_t number)
{
    const size_t whole = pool->n_tasks / pool->n_threads, rest = pool->n_tasks % pool->n_threads;
    return number * whole + (number < rest ? number : rest);
}

/* This thread's tasks, then the others'. Where there are no more tasks than threads, nobody takes another's. */
static void do_share(thread_pool *pool, size_t number)
{
    const size_t n_shares = pool->n_tasks <= pool->n_threads ? 1 : pool->n_threads;
    size_t i;
    for (size_t k = 0; k < n_shares; k++) {
        const size_t owner = (number + k) % pool->n_threads, end = share_begin(pool, owner + 1);
        while ((i = __atomic_fetch_add(&pool->workers[owner].next, 1, __ATOMIC_RELAXED)) < end)
            pool->task(pool->context, i);
    }
}

/* Waits until the round is another than the one this worker has done. */
static unsigned await_round(thread_pool *pool, unsigned done)
{
    unsigned round;
    for (int i = 0; i < SPINS; i++) {
        round = __atomic_load_n(&pool->round, __ATOMIC_ACQUIRE);
        if (round != done)
            return round;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    pool->sleepers++;
    while ((round = __atomic_load_n(&pool->round, __ATOMIC_ACQUIRE)) == done)
        pthread_cond_wait(&pool->wake, &pool->lock);
    pool->sleepers--;
    pthread_mutex_unlock(&pool->lock);
    return round;
}

static void *work(void *argument)
{
    worker *w = argument;
    thread_pool *pool = w->pool;
    unsigned done = 0;
    for (;;) {
        done = await_round(pool, done);
        if (pool->stop)
            return NULL;
        do_share(pool, w->number);
        __atomic_sub_fetch(&pool->busy, 1, __ATOMIC_RELEASE);
    }
}

/* Raises the round; a worker between its last look and its sleep holds the lock, so it cannot miss the signal. */
static void start_round(thread_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    __atomic_add_fetch(&pool->round, 1, __ATOMIC_RELEASE);
    if (pool->sleepers)
        pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static void run(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    thread_pool *pool = user;
    int spins = 0;
    pool->task = task;
    pool->context = context;
    pool->n_tasks = n_tasks;
    for (size_t i = 0; i < pool->n_threads; i++)
        __atomic_store_n(&pool->workers[i].next, share_begin(pool, i), __ATOMIC_RELAXED);
    __atomic_store_n(&pool->busy, pool->n_threads - 1, __ATOMIC_RELAXED);
    start_round(pool);
    do_share(pool, 0);
    while (__atomic_load_n(&pool->busy, __ATOMIC_ACQUIRE)) {
        if (spins < SPINS) {
            spins++;
            pause_briefly();
        } else {
            sched_yield(); /* more threads than processors: this one is in the way of those that it waits for */
        }
    }
}

thread_pool *thread_pool_create(size_t n_threads)
{
    thread_pool *pool = n_threads >= 1 && n_threads <= MAX_THREADS ? calloc(1, sizeof *pool) : NULL;
    if (!pool)
        return NULL;
    pool->parallel.user = pool;
    pool->parallel.n_tasks = n_threads == 1 ? 1 : n_threads * TASKS_A_THREAD;
    pool->parallel.run = run;
    pool->n_threads = 1;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (size_t i = 1; i < n_threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) {
            thread_pool_destroy(pool);
            return NULL;
        }
        pool->n_threads++;
    }
    return pool;
}

void thread_pool_destroy(thread_pool *pool)
{
    if (!pool)
        return;
    pool->stop = 1;
    start_round(pool);
    for (size_t i = 1; i < pool->n_threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

const b2s6_parallel *thread_pool_parallel(const thread_pool *pool)
{
    return pool ? &pool->parallel : NULL;
}
