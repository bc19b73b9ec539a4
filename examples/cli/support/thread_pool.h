/*
 * thread_pool.h - a parallel-for on POSIX threads, as the library's b2s6_parallel asks for it
 *
 * For copying into hosts. The caller's thread takes part. Workers spin for some microseconds between two pieces of work and
 * sleep after that, since a model has hundreds of short pieces a step. Each piece comes in a few tasks a thread.
 */
#ifndef B2S6_CLI_THREAD_POOL_H
#define B2S6_CLI_THREAD_POOL_H

#include <stddef.h>

#include "b2s6.h"

typedef struct thread_pool thread_pool;

/* n_threads in all, the caller's included: 1 to 256. NULL if threads or memory are lacking. One caller at a time. */
thread_pool *thread_pool_create(size_t n_threads);
void thread_pool_destroy(thread_pool *pool);

/* What the library's run options point to; lives as long as the pool. NULL for NULL. */
const b2s6_parallel *thread_pool_parallel(const thread_pool *pool);

#endif
