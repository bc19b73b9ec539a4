/*
 * Weights and codes as they are stored, for AVX-512; integers are sixteen rows of two columns a vector
 * (kernel/pairs.h). Included before kernel/product.h. Tile of a chunk: 12 rows x 2 panels are 24 sums, as in the
 * products of floats; a step takes 4 panels.
 */

/* What kernel/integer.h asks for. */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 2, INTEGER_ROWS = 12, INTEGER_STEP = 4 };

/* 32-bit lanes. Not vi, which GCC takes for vectors of 64-bit integers and then copies about. */
typedef int INTEGER_SUM __attribute__((vector_size(64)));

/* 16 halves as floats, exactly. */
VF_INLINE vf load_half(const uint16_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

/* 32 signed bytes, of 16 rows, widened to 16 bits. */
VF_INLINE vi pairs_q8(const unsigned char *at)
{
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

/*
 * The levels of 32 codes, 2 columns of 16 rows: shift is 0 for the low halves, 4 for the high ones. Shifted as 32-bit
 * lanes, as there are no shifts of bytes; what comes over from the next byte is masked off. The 16 levels are in both
 * halves of 128 bits, since the lookup does not cross them.
 */
VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)at);
    const __m256i code = _mm256_and_si256(_mm256_srlv_epi32(b, _mm256_set1_epi32((int)shift)), _mm256_set1_epi8(15));
    const __m128i levels = _mm_loadu_si128((const __m128i *)(const void *)b2s6_q4_levels);
    return _mm512_cvtepi8_epi16(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), code));
}

/* 16 scales: the upper halves of floats, moved to their place. */
VF_INLINE vf scales_load(const uint16_t *at)
{
    const __m512i upper = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)at));
    return _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16));
}

/*
 * 16 codes. With planes, for tiles: of 64 codes first the upper bytes, then the lower ones, both signed: code = 256
 * upper + lower with lower from -128 to 127, so upper is (code + 128) >> 8, at most 127 as codes are at most 32512.
 * The lower byte is the code's own, cut off. `at` is a multiple of 16, so all 16 are in one block of 64. Else in
 * order.
 */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    if (planes) {
        /* a block of 64 codes takes 128 bytes in either form */
        unsigned char *bytes = (unsigned char *)(row + at / 64 * 64) + at % 64;
        const __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(q[0], _mm512_set1_epi32(128)), 8);
        _mm_storeu_si128((__m128i *)(void *)bytes, _mm512_cvtepi32_epi8(upper));
        _mm_storeu_si128((__m128i *)(void *)(bytes + 64), _mm512_cvtepi32_epi8(q[0]));
    } else {
        _mm256_storeu_si256((__m256i *)(void *)(row + at), _mm512_cvtepi32_epi16(q[0]));
    }
}
