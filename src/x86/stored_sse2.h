/*
 * Weights and codes as they are stored, for SSE2; integers are four rows of two columns a vector (kernel/pairs.h).
 * Included before kernel/product.h. Tile of a chunk: 2 rows x 1 panel of 4 vectors are 8 sums, which leaves as many
 * registers for a unit of weights (4), codes and products; a step is a tile of one row.
 */

/* What kernel/integer.h asks for. */
enum { INTEGER_UNIT = 2, INTEGER_VECTORS = 16 / VF_LANES, INTEGER_PANELS = 1, INTEGER_ROWS = 2, INTEGER_STEP = 1 };

/* 32-bit lanes. Not vi, which GCC takes for vectors of 64-bit integers and then copies about. */
typedef int INTEGER_SUM __attribute__((vector_size(16)));

/*
 * Four halves as floats, exactly, as weights_half (weights.h): exponent and fraction moved to a float's place are
 * 2^112 too small, and the product is exact, for subnormal halves too. An exponent of all ones becomes one. The sign
 * goes round.
 */
VF_INLINE vf load_half(const uint16_t *at)
{
    const __m128i h = _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)(const void *)at), _mm_setzero_si128());
    const __m128i sign = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x8000)), 16);
    const __m128i magnitude = _mm_slli_epi32(_mm_and_si128(h, _mm_set1_epi32(0x7fff)), 13); /* 2^112 too small as a float */
    const __m128i special = _mm_and_si128(_mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x0f7fffff)), _mm_set1_epi32(0x7f800000));
    const __m128 value = _mm_mul_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0x1p112f));
    return _mm_or_ps(value, _mm_castsi128_ps(_mm_or_si128(sign, special)));
}

/* 8 signed bytes, of 4 rows, widened to 16 bits: each byte twice, then shifted down with its sign. */
VF_INLINE vi pairs_q8(const unsigned char *at)
{
    const __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)at);
    return _mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
}

/*
 * The levels of 8 codes, 2 columns of 4 rows: shift is 0 for the low halves, 4 for the high ones. They are made by
 * arithmetic, as SSE2 has no instruction that looks bytes up: (n (326 + 3 n n) + 80) >> 5, n = code - 8 (weights.h).
 * |n (326 + 3 n n)| is at most 8 x 518 = 4144, so 16 bits hold all of it.
 */
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

/* Four scales: the upper halves of floats, above zeros. */
VF_INLINE vf scales_load(const uint16_t *at)
{
    const __m128i upper = _mm_loadl_epi64((const __m128i *)(const void *)at);
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), upper));
}

/* 16 codes in order. The packing saturates, which no code does. */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    (void)planes;
    _mm_storeu_si128((__m128i *)(void *)(row + at), _mm_packs_epi32(q[0], q[1]));
    _mm_storeu_si128((__m128i *)(void *)(row + at + 8), _mm_packs_epi32(q[2], q[3]));
}
