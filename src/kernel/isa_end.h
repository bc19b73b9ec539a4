/* Closes the target region that a vec_*.h opened. The last include of every file that includes one. */
#if defined(VF_TARGET_REGION)
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#undef VF_TARGET_REGION
#endif
