/*
 * The table of the functions above, b2s6_kernels_ and INTEGER_ISA, for the instruction set that includes them: the one
 * symbol that the rest of the library sees of a kernels_*.c (kernels.h, isa.h). Included last, and once for each
 * INTEGER_ISA: variants of an instruction set share the functions of KERNEL and differ in those of INTEGER. QUANTIZE
 * is the function that goes with its integer kernels: which layout of codes they read.
 *
 * What a build leaves out (switches.h) is NULL and never called: a model that needs it is refused when it is opened.
 * The condition is a constant, so the function is dropped, too.
 */

/* Declared, so that it is hidden from programs that link the library. */
extern B2S6_INTERNAL const struct b2s6_kernels INTEGER(b2s6_kernels);

const struct b2s6_kernels INTEGER(b2s6_kernels) = {
    .name = KERNEL_TEXT(INTEGER_ISA),
    /* by the file's number of the type */
    .product = {
        [TYPE_F32] = KERNEL(product_f32),
        [TYPE_F16] = B2S6_HAS_F16 ? KERNEL(product_f16) : NULL,
        [TYPE_Q8] = B2S6_HAS_Q8 ? INTEGER(product_q8) : NULL,
        [TYPE_Q4] = B2S6_HAS_Q4 ? INTEGER(product_q4) : NULL,
    },
    /* PACK, PACK_ROWS: product.h */
    .pack = PACK,
    .pack_rows = PACK_ROWS,
    .quantize = B2S6_HAS_Q8 || B2S6_HAS_Q4 ? QUANTIZE : NULL,
    .scan = KERNEL(scan),
    .conv_silu = B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 ? KERNEL(conv_silu) : NULL,
    /* which norms a build has, the function itself asks; scan asks for units likewise */
    .norm = KERNEL(norm),
#if B2S6_HAS_MAMBA2
    .norm_groups = KERNEL(norm_groups),
#endif
    .delta_block = KERNEL(delta_block),
    .softplus = KERNEL(softplus),
    .gelu = B2S6_HAS_S4 ? KERNEL(gelu) : NULL,
    .add = KERNEL(add),
    .gate_silu = B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 || B2S6_HAS_MLP ? KERNEL(gate_silu) : NULL,
    .add_gated = B2S6_HAS_S4 ? KERNEL(add_gated) : NULL,
    .flush = KERNEL(flush),
};
