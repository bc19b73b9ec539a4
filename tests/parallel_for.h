/* parallel_for.h - a host's parallel-for that checks what the library asks of it, and threads for it */
#ifndef TEST_PARALLEL_FOR_H
#define TEST_PARALLEL_FOR_H

#include "../examples/cli/support/thread_pool.h"
#include "random.h"

enum { MAX_TASKS = 4096 };

/* In what order tasks are done; the last by a pool's threads. */
typedef enum task_order { TASKS_FORWARDS, TASKS_BACKWARDS, TASKS_SHUFFLED, TASKS_ON_THREADS, N_TASK_ORDERS } task_order;
extern const char *const task_order_names[N_TASK_ORDERS];

typedef struct parallel_for {
    b2s6_parallel parallel; /* to be passed on; user is this structure */
    task_order order;
    const b2s6_parallel *pool; /* does the work of TASKS_ON_THREADS */
    random_source random;
    size_t calls, largest;     /* calls of run, and the most tasks of one */
    size_t skip_call;          /* the call whose last task is left out, from 1 on; 0: none */
    int running;
    const char *fault;         /* what the library did wrong, or NULL */
} parallel_for;

void parallel_for_make(parallel_for *h, size_t n_tasks, task_order order, const b2s6_parallel *pool);

/* Fails the test if the library asked for something else than it may. */
void parallel_for_check(const parallel_for *h);

/* n_threads threads, which must be there. */
thread_pool *pool_of(size_t n_threads);

#endif
