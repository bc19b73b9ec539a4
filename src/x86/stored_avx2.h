/*
 * Weights and codes as they are stored, for AVX2; integers are eight rows of two columns a vector (kernel/pairs.h).
 * Included before kernel/product.h. Tile of a chunk: 6 rows x 1 panel of 2 vectors are 12 sums, which leaves 4 of 16
 * registers for weights, codes and a product. A step takes 4 panels, 8 sums.
 */

/* What kernel/integer.h asks for. */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 1, INTEGER_ROWS = 6, INTEGER_STEP = 4 };

/* 32-bit lanes. Not vi, which GCC takes for vectors of 64-bit integers and then copies about. */
typedef int INTEGER_SUM __attribute__((vector_size(32)));

/* Eight halves as floats, exactly (F16C). */
VF_INLINE vf load_half(const uint16_t *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)at));
}

/* 16 signed bytes, of 8 rows, widened to 16 bits. */
VF_INLINE vi pairs_q8(const unsigned char *at)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)at));
}

/*
 * The levels of 16 codes, 2 columns of 8 rows: shift is 0 for the low halves, 4 for the high ones. Shifted as 32-bit
 * lanes, as there are no shifts of bytes; what comes over from the next byte is masked off. Looked up 16 at once:
 * pshufb takes the lower four bits of an index.
 */
VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i code = _mm_and_si128(_mm_srlv_epi32(b, _mm_set1_epi32((int)shift)), _mm_set1_epi8(15));
    const __m128i levels = _mm_loadu_si128((const __m128i *)(const void *)b2s6_q4_levels);
    return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(levels, code));
}

/* Eight scales: the upper halves of floats, moved to their place. */
VF_INLINE vf scales_load(const uint16_t *at)
{
    const __m256i upper = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
    return _mm256_castsi256_ps(_mm256_slli_epi32(upper, 16));
}

/*
 * 16 codes in order: packs_epi32 works in halves of 128 bits, so their quarters come as 0, 2, 1, 3 and are put right
 * (0xd8). It saturates, which no code does.
 */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    (void)planes;
    _mm256_storeu_si256((__m256i *)(void *)(row + at), _mm256_permute4x64_epi64(_mm256_packs_epi32(q[0], q[1]), 0xd8));
}
