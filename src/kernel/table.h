/* The table of the functions above, for the instruction set that includes them; KERNELS and KERNELS_NAME name it. */
const struct b2s6_kernels KERNELS = {
    KERNELS_NAME, product, scan, conv_silu, norm, delta_block, softplus, gelu, add, gate_silu, add_gated, flush
};
