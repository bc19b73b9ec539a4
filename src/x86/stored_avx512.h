/* Weights and codes as they are stored, for AVX-512; integers are sixteen rows of two columns a vector (kernel/pairs.h). */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 2, INTEGER_ROWS = 12, INTEGER_STEP = 4 };

/* Not vi, which GCC takes for vectors of 64-bit integers and then copies about. */
typedef int INTEGER_SUM __attribute__((vector_size(64)));

VF_INLINE vf load_half(const uint16_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

VF_INLINE vi pairs_q8(const unsigned char *at)
{
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)at);
    const __m256i code = _mm256_and_si256(_mm256_srlv_epi32(b, _mm256_set1_epi32((int)shift)), _mm256_set1_epi8(15));
    const __m128i levels = _mm_loadu_si128((const __m128i *)(const void *)b2s6_q4_levels);
    return _mm512_cvtepi8_epi16(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), code));
}

VF_INLINE vf scales_load(const uint16_t *at)
{
    const __m512i upper = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)at));
    return _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16));
}

/* With planes, for tiles: of 64 codes first the upper bytes, then the lower ones, both signed. */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    if (planes) {
        unsigned char *bytes = (unsigned char *)(row + at / 64 * 64) + at % 64;
        const __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(q[0], _mm512_set1_epi32(128)), 8);
        _mm_storeu_si128((__m128i *)(void *)bytes, _mm512_cvtepi32_epi8(upper));
        _mm_storeu_si128((__m128i *)(void *)(bytes + 64), _mm512_cvtepi32_epi8(q[0]));
    } else {
        _mm256_storeu_si256((__m256i *)(void *)(row + at), _mm512_cvtepi32_epi16(q[0]));
    }
}
