/* parallel_for.c - a host's parallel-for that checks what the library asks of it */
#include "parallel_for.h"

#include <string.h>

#include "test.h"

const char *const task_order_names[N_TASK_ORDERS] = { "forwards", "backwards", "shuffled", "on threads" };

/* Every index once, in this order. */
static void run_in_order(parallel_for *h, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    static size_t list[MAX_TASKS];
    for (size_t i = 0; i < n_tasks; i++) {
        const size_t k = h->order == TASKS_SHUFFLED ? random_below(&h->random, (uint32_t)i + 1) : i;
        list[i] = list[k];
        list[k] = i;
    }
    for (size_t i = 0; i < n_tasks; i++) {
        const size_t index = h->order == TASKS_BACKWARDS ? n_tasks - 1 - i : list[i];
        if (h->calls != h->skip_call || index != n_tasks - 1)
            task(context, index);
    }
}

static void run_tasks(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    parallel_for *h = (parallel_for *)user;
    h->calls++;
    h->largest = n_tasks > h->largest ? n_tasks : h->largest;
    if (n_tasks == 0 || n_tasks > h->parallel.n_tasks)
        h->fault = "another number of tasks than announced";
    else if (task == NULL)
        h->fault = "no task";
    else if (h->running)
        h->fault = "a call within a call";
    if (h->fault)
        return;
    h->running = 1;
    if (h->order == TASKS_ON_THREADS)
        h->pool->run(h->pool->user, n_tasks, task, context);
    else
        run_in_order(h, n_tasks, task, context);
    h->running = 0;
}

void parallel_for_make(parallel_for *h, size_t n_tasks, task_order order, const b2s6_parallel *pool)
{
    memset(h, 0, sizeof *h);
    h->parallel.user = h;
    h->parallel.least_work = 1; /* small models too are cut wherever they can be */
    h->parallel.n_tasks = n_tasks;
    h->parallel.run = run_tasks;
    h->order = order;
    h->pool = pool;
    h->random.state = n_tasks;
}

void parallel_for_check(const parallel_for *h)
{
    if (h->fault)
        FAIL(h->fault);
}

thread_pool *pool_of(size_t n_threads)
{
    thread_pool *pool = thread_pool_create_exactly(n_threads);
    CHECK(pool != NULL);
    CHECK(thread_pool_parallel(pool)->n_tasks >= n_threads); /* a few tasks a thread */
    return pool;
}
