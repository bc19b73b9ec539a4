/* The table of the functions above, for the instruction set that includes them; KERNELS and KERNELS_NAME name it. What a
 * build leaves out (switches.h) is never called. */
const struct b2s6_kernels KERNELS = {
    KERNELS_NAME, product, scan, B2S6_HAS_MAMBA ? conv_silu : NULL, norm, delta_block, softplus, B2S6_HAS_S4 ? gelu : NULL, add,
    B2S6_HAS_MAMBA ? gate_silu : NULL, B2S6_HAS_S4 ? add_gated : NULL, flush
};
