/* Weights and codes as they are stored, for SSE2; integers are four rows of two columns a vector (kernel/pairs.h). */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 1, INTEGER_ROWS = 2, INTEGER_STEP = 1 };

/* Not vi, which GCC takes for vectors of 64-bit integers and then copies about. */
typedef int INTEGER_SUM __attribute__((vector_size(16)));

VF_INLINE vf load_half(const uint16_t *at)
{
    const __m128i h = _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)(const void *)at), _mm_setzero_si128());
    const __m128i sign = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x8000)), 16);
    const __m128i magnitude = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x7fff)), 13); /* 2^112 too small as a float */
    const __m128i special = _mm_and_si128(_mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x0f7fffff)), _mm_set1_epi32(0x7f800000));
    const __m128 value = _mm_mul_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0x1p112f));
    return _mm_or_ps(value, _mm_castsi128_ps(_mm_or_si128(sign, special)));
}

VF_INLINE vi pairs_q8(const unsigned char *at)
{
    const __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)at);
    return _mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
}

/* The levels are made by arithmetic: SSE2 has no instruction that looks bytes up. */
VF_INLINE vi pairs_q4(const unsigned char *at, uint32_t shift)
{
    const __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)at);
    const __m128i words = _mm_unpacklo_epi8(b, _mm_setzero_si128());
    const __m128i code = _mm_and_si128(_mm_srl_epi16(words, _mm_cvtsi32_si128((int)shift)), _mm_set1_epi16(15));
    const __m128i n = _mm_sub_epi16(code, _mm_set1_epi16(8));
    const __m128i square = _mm_mullo_epi16(_mm_mullo_epi16(n, n), _mm_set1_epi16(3));
    const __m128i cubic = _mm_mullo_epi16(n, _mm_add_epi16(square, _mm_set1_epi16(326)));
    return _mm_srai_epi16(_mm_add_epi16(cubic, _mm_set1_epi16(80)), 5);
}

VF_INLINE vf scales_load(const uint16_t *at)
{
    const __m128i upper = _mm_loadl_epi64((const __m128i *)(const void *)at);
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), upper));
}

VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    (void)planes;
    _mm_storeu_si128((__m128i *)(void *)(row + at), _mm_packs_epi32(q[0], q[1]));
    _mm_storeu_si128((__m128i *)(void *)(row + at + 8), _mm_packs_epi32(q[2], q[3]));
}
