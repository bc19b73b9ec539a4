/*
 * Before every other header of every source file: float arithmetic as it is written. A compiler that may
 * contract products and sums to fused operations would compute other bits (docs/arithmetic.md); here the
 * sources forbid it, whatever the command line says or leaves out. It comes first so that inline functions
 * of the compiler's own headers are compiled alike.
 *
 * clang -ffp-contract=fast disregards its pragma; there it helps that no product of the kernels goes into
 * a sum unfused.
 */
#ifndef B2S6_PROLOGUE_H
#define B2S6_PROLOGUE_H

#if defined(__FAST_MATH__)
#  error "libb2s6 must not be compiled with -ffast-math or -Ofast: its results are defined bit by bit"
#endif

/*
 * gcc knows no pragma of the standard for this, and its own costs a little: it compiles what is under it with less care
 * for registers (the checksum on a Cortex-M0 takes 10 % longer). So not where there is no floating-point unit, and
 * nothing that could be fused. Another compiler gets neither, and what the last paragraph says must do.
 */
#if defined(__clang__)
#  pragma STDC FP_CONTRACT OFF
#elif (defined(__arm__) && !defined(__ARM_FP)) || (defined(__riscv) && !defined(__riscv_flen))
#elif defined(__GNUC__)
#  pragma GCC optimize("fp-contract=off")
#endif

#endif
