/*
 * Halves and scales as they are stored, for NEON with and without the dot product. Their integers are stored alike and
 * read differently: pairs_neon.h, dot.h.
 */

/* Four halves as floats, exactly; the conversion is part of the base architecture. */
VF_INLINE vf load_half(const uint16_t *at)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at)));
}

/* Four scales: the upper halves of floats, moved to their place. */
VF_INLINE vf scales_load(const uint16_t *at)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(at), 16));
}
