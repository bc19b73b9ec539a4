/* Halves and scales as they are stored, for NEON. */
VF_INLINE vf load_half(const uint16_t *at)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at)));
}

VF_INLINE vf scales_load(const uint16_t *at)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(at), 16));
}
