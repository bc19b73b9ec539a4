/*
 * painted.h - how much stack a call takes, measured: it runs on a thread whose stack was painted, and the paint that is left says
 */
#ifndef TEST_PAINTED_H
#define TEST_PAINTED_H

#include <stddef.h>

/* The stack of such a thread. A call that takes more than about 16 KB less than this ends the program. */
enum { PAINTED_BYTES = 256 * 1024 };

/*
 * Bytes of stack below the caller of call(context); what call itself has on the stack counts too, and less than about 260 is
 * seen as so much. One call at a time. 0 where stacks cannot be
 * measured: there is no paint under the sanitizers, which keep variables elsewhere and pad them.
 */
size_t stack_taken(void (*call)(void *context), void *context);

/* NULL, or why stacks cannot be measured in this build. */
const char *stack_unmeasured(void);

#endif
