/*
 * thread_pool.h - a parallel-for on POSIX threads, as the library's b2s6_parallel asks for it
 *
 * For copying into hosts. The caller's thread takes part and waits for no thread that has not begun, so that a busy machine
 * costs little. Threads spin for a tenth of a millisecond between two pieces of work and sleep after that, since a model has
 * hundreds of pieces a step. Where sharing work takes longer than it saves, the pool works on the caller's thread alone for a
 * while, then tries again.
 */
#ifndef B2S6_CLI_THREAD_POOL_H
#define B2S6_CLI_THREAD_POOL_H

#include <stddef.h>

#include "b2s6.h"

typedef struct thread_pool thread_pool;

/*
 * n_threads in all, the caller's included: 1 to 256; no more than there are processors for this process, since those could
 * only be in each other's way. NULL if threads or memory are lacking. One caller at a time.
 */
thread_pool *thread_pool_create(size_t n_threads);

/* As many threads as it says, on any machine: for tests, and to share work with processors that come later. */
thread_pool *thread_pool_create_exactly(size_t n_threads);

void thread_pool_destroy(thread_pool *pool);

/* How many threads there are, the caller's included; 1 for NULL. */
size_t thread_pool_threads(const thread_pool *pool);

/* What the library's run options point to; lives as long as the pool. NULL for NULL. */
const b2s6_parallel *thread_pool_parallel(const thread_pool *pool);

#endif
