/*
 * attempt.h - opens bytes that may be anything, in every way there is, and uses what opens
 */
#ifndef TEST_ATTEMPT_H
#define TEST_ATTEMPT_H

#include "../b2s6.h"

/*
 * Opens the size bytes at data, which must be aligned to 4, with the flags: from memory, in place, and asks the size. All
 * must agree. A failure must come with status, message and an offset inside the file, and leave the handle NULL; what opens
 * must be closed by the caller. error may not be NULL.
 */
b2s6_status attempt_open(b2s6_model **model, const void *data, size_t size, uint32_t flags, b2s6_error *error);

/* The same, and takes a few steps through what opens, with and without workspace. Its outputs may be anything. */
b2s6_status attempt_use(const void *data, size_t size, uint32_t flags, b2s6_error *error);

/* Steps and runs through an open model, if its state fits into a few MiB. */
void attempt_steps(const b2s6_model *model);

#endif
