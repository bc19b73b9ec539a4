/*
 * Closes the target region that a vec_*.h, or a kernels_*.c for a variant, opened. The last include of every file that
 * includes one: a region left open would compile what follows for an instruction set that the machine may not have,
 * and in the amalgamation (make amalgamation), where all sources are one file, there always is something that follows.
 * Does nothing after a layer without a region (SSE2, NEON, which are the base of their machines).
 */
#if defined(VF_TARGET_REGION)
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#undef VF_TARGET_REGION
#endif
