/*
 * The table of the functions above, for the instruction set that includes them; KERNELS and KERNELS_NAME name it, and
 * INTEGER and QUANTIZE the variant of the integer kernels that goes with it. What a build leaves out (switches.h) is never
 * called.
 */
const struct b2s6_kernels KERNELS = {
    KERNELS_NAME,
    { NULL, product_f32, B2S6_HAS_F16 ? product_f16 : NULL, B2S6_HAS_Q8 ? INTEGER(product_q8) : NULL,
      B2S6_HAS_Q4 ? INTEGER(product_q4) : NULL },
    PACK, PACK_ROWS,
    B2S6_HAS_Q8 || B2S6_HAS_Q4 ? QUANTIZE : NULL,
    scan, B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 ? conv_silu : NULL, norm, B2S6_HAS_MAMBA2 ? norm_groups : NULL,
    delta_block, softplus, B2S6_HAS_S4 ? gelu : NULL, add,
    B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 || B2S6_HAS_MLP ? gate_silu : NULL, B2S6_HAS_S4 ? add_gated : NULL, flush
};
