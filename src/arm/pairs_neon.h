/*
 * Integers as they are stored, for NEON: four rows of two columns a vector (kernel/pairs.h). Included before
 * kernel/product.h. Tile of a chunk: 4 rows x 1 panel of 4 vectors are 16 of 32 registers for sums; a step takes 2
 * panels, 8 sums.
 */

/* What kernel/integer.h asks for. */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 1, INTEGER_ROWS = 4, INTEGER_STEP = 2 };

/* The same as vi: compilers for ARM know its lanes. */
typedef int32x4_t INTEGER_SUM;

/* 8 signed bytes, of 4 rows, widened to 16 bits. */
VF_INLINE vi pairs_q8(const unsigned char *at)
{
    return vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u8(vld1_u8(at))));
}

/* The levels of 8 codes, 2 columns of 4 rows: shift is 0 for the low halves, 4 for the high ones. Looked up 8 at once. */
VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const int8x8_t right = vdup_n_s8((int8_t)(shift ? -(int)shift : 0)); /* a shift by less than 0 goes right */
    const uint8x8_t code = vand_u8(vshl_u8(vld1_u8(at), right), vdup_n_u8(15));
    return vreinterpretq_s32_s16(vmovl_s8(vqtbl1_s8(vld1q_s8(b2s6_q4_levels), code)));
}

/*
 * The products of two 16-bit integers in each 32-bit lane, added to the lane. NEON multiplies all 16-bit integers to
 * 32 bits, in two halves, and adds neighbours: four instructions for x86's two.
 */
VF_INLINE vi pairs_add(vi sum, vi w, vi c)
{
    const int16x8_t a = vreinterpretq_s16_s32(w), b = vreinterpretq_s16_s32(c);
    return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)));
}

/* 16 codes, q (4 vectors), in order. The narrowing saturates, which no code does. */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    (void)planes;
    vst1q_s16(row + at, vcombine_s16(vqmovn_s32(q[0]), vqmovn_s32(q[1])));
    vst1q_s16(row + at + 8, vcombine_s16(vqmovn_s32(q[2]), vqmovn_s32(q[3])));
}
