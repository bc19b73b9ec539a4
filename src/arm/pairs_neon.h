/* Integers as they are stored, for NEON: four rows of two columns a vector (kernel/pairs.h). */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 1, INTEGER_ROWS = 4, INTEGER_STEP = 2 };

typedef int32x4_t INTEGER_SUM;

VF_INLINE vi pairs_q8(const unsigned char *at)
{
    return vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u8(vld1_u8(at))));
}

VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const int8x8_t right = vdup_n_s8((int8_t)(shift ? -(int)shift : 0)); /* a shift by less than 0 goes right */
    const uint8x8_t code = vand_u8(vshl_u8(vld1_u8(at), right), vdup_n_u8(15));
    return vreinterpretq_s32_s16(vmovl_s8(vqtbl1_s8(vld1q_s8(b2s6_q4_levels), code)));
}

/* The products of two 16-bit integers in each 32-bit lane, added to the lane. */
VF_INLINE vi pairs_add(vi sum, vi w, vi c)
{
    const int16x8_t a = vreinterpretq_s16_s32(w), b = vreinterpretq_s16_s32(c);
    return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)));
}

VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    (void)planes;
    vst1q_s16(row + at, vcombine_s16(vqmovn_s32(q[0]), vqmovn_s32(q[1])));
    vst1q_s16(row + at + 8, vcombine_s16(vqmovn_s32(q[2]), vqmovn_s32(q[3])));
}
