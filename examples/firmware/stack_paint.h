/* stack_paint.h - the deepest use of the stack, found by painting it beforehand */
#ifndef STACK_PAINT_H
#define STACK_PAINT_H

#include <stdint.h>

/* From the linker script. */
extern uint32_t stack_bottom[], stack_top[];

#define STACK_PAINT 0xb2565a17u

/* Paints what lies below the caller; to be called before anything else. A little below the caller's frame is left. */
static inline void paint_stack(void)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0) - 128;
    uint32_t *word;

    for (word = stack_bottom; (uintptr_t)word < here; word++)
        *(volatile uint32_t *)word = STACK_PAINT;
}

static inline uint32_t stack_depth(void)
{
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)__builtin_frame_address(0));
}

static inline uint32_t painted_stack_used(void)
{
    const uint32_t *word = stack_bottom;

    while (word < stack_top && *word == STACK_PAINT)
        word++;
    return (uint32_t)(stack_top - word) * 4;
}

#endif
