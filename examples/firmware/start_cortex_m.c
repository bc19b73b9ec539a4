/* start_cortex_m.c - vector table and start-up of a Cortex-M, and its way out through semihosting */
#include "board.h"
#include "stack_paint.h"

/* From the linker script. */
extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[];

void reset(void);
void board_start(void); /* the board's own: clocks, UART */

/* Semihosting call 0x20: exit with a status. */
void board_exit(int status)
{
    volatile uint32_t block[2];
    register uint32_t call __asm__("r0") = 0x20;
    register volatile uint32_t *argument __asm__("r1") = block;

    block[0] = 0x20026; /* the application ends */
    block[1] = (uint32_t)status;
    __asm__ volatile("bkpt 0xab" : "+r"(call) : "r"(argument) : "memory");
    for (;;)
        continue;
}

static void put_text(const char *text)
{
    while (*text)
        board_put(*text++);
}

/* Nothing that the library is given may end here. */
static void fault(void)
{
    put_text("fault\n");
    board_exit(3);
}

void reset(void)
{
    const uint32_t *from = data_source;
    uint32_t *to;

    paint_stack();
    for (to = data_start; to < data_end;)
        *to++ = *from++;
    for (to = bss_start; to < bss_end;)
        *to++ = 0;
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xe000ed88u |= 0xfu << 20; /* CPACR: full access to the floating-point unit */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    *(volatile uint32_t *)0xe000e014u = 0xffffffu; /* SysTick counts the processor's clock, for board_instructions */
    *(volatile uint32_t *)0xe000e018u = 0;
    *(volatile uint32_t *)0xe000e010u = 5;
    board_start();
    board_exit(program());
}

uint32_t board_stack_depth(void)
{
    return stack_depth();
}

uint32_t board_stack_used(void)
{
    return painted_stack_used();
}

/* Results and operands below 2^-126 become zero: what some start-up code does "for speed". */
int board_spoil_arithmetic(int spoilt)
{
#if defined(__ARM_FP)
    const uint32_t flush_to_zero = UINT32_C(1) << 24;
    uint32_t fpscr;

    __asm__ volatile("vmrs %0, fpscr" : "=r"(fpscr));
    fpscr = spoilt ? fpscr | flush_to_zero : fpscr & ~flush_to_zero;
    __asm__ volatile("vmsr fpscr, %0" : : "r"(fpscr));
    return 1;
#else
    (void)spoilt;
    return 0;
#endif
}

/* SysTick counts down through 24 bits. */
uint32_t board_ticks_since(uint32_t *last);
uint32_t board_ticks_since(uint32_t *last)
{
    const uint32_t now = *(volatile uint32_t *)0xe000e018u, ticks = (*last - now) & 0xffffffu;

    *last = now;
    return ticks;
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    handler handlers[15];
} vectors = {
    stack_top, { reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault }
};
