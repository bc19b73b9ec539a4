/* board_virt.c - QEMU's virt machine with a 32-bit RISC-V: start-up, UART, exit */
#include "board.h"
#include "stack_paint.h"

#define UART ((volatile unsigned char *)0x10000000u) /* 16550: data at 0, line status at 5 */
#define FINISHER (*(volatile uint32_t *)0x00100000u)

/* From the linker script. */
extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[];

void start(void);
void main_start(void);
void fault(void);

/* The processor begins here, without a stack. */
__attribute__((naked, section(".start"), used)) void start(void)
{
    __asm__ volatile(".option arch, +zicsr\n .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
                     "la sp, stack_top\n la t0, fault\n csrw mtvec, t0\n"
#if defined(__riscv_flen)
                     "li t0, 0x6000\n csrs mstatus, t0\n csrw fcsr, zero\n" /* floating-point unit on, round to nearest */
#endif
                     "j main_start");
}

void main_start(void)
{
    const uint32_t *from = data_source;
    uint32_t *to;

    paint_stack();
    for (to = data_start; to < data_end;)
        *to++ = *from++;
    for (to = bss_start; to < bss_end;)
        *to++ = 0;
    board_exit(program());
}

/* Nothing that the library is given may end here. mtvec wants an address that is a multiple of 4. */
__attribute__((aligned(4))) void fault(void)
{
    const char *c;

    for (c = "fault\n"; *c; c++)
        board_put(*c);
    board_exit(3);
}

void board_put(char c)
{
    while (!(UART[5] & 0x20))
        continue;
    UART[0] = (unsigned char)c;
}

void board_exit(int status)
{
    FINISHER = status ? (uint32_t)status << 16 | 0x3333u : 0x5555u;
    for (;;)
        continue;
}

uint64_t board_instructions(void)
{
    uint32_t high, low, again;

    do
        __asm__ volatile(".option arch, +zicsr\n csrr %0, minstreth\n csrr %1, minstret\n csrr %2, minstreth" : "=r"(high), "=r"(low), "=r"(again));
    while (high != again);
    return (uint64_t)high << 32 | low;
}

uint32_t board_stack_depth(void)
{
    return stack_depth();
}

uint32_t board_stack_used(void)
{
    return painted_stack_used();
}

/* Rounding towards zero. */
int board_spoil_arithmetic(int spoilt)
{
#if defined(__riscv_flen)
    __asm__ volatile(".option arch, +zicsr\n csrw frm, %0" : : "r"(spoilt ? 1 : 0));
    return 1;
#else
    (void)spoilt;
    return 0;
#endif
}
