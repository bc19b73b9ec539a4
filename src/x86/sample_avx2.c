/* Rows of logits, eight at a time: see sample.h; each step is that of power() and below() in sample.c. */
#include "../sample.h"

#if defined(B2S6_SAMPLE_AVX2)

#include "../isa.h"
#include "vec_avx2.h"

int b2s6_sample_has_avx2(void)
{
    for (const struct isa *isa = b2s6_family_isas; isa->kernels; isa++)
        if (b2s6_compare_text(isa->kernels->name, "avx2") == 0)
            return isa->is_available();
    return 0;
}

/* e^(hi + lo) = mantissa 2^(k - 30), mantissa below 2^31 and 0 where hi is not above -28. */
struct power {
    vi mantissa, minus_k;
};

static inline __attribute__((always_inline)) struct power power(vf hi, vf lo)
{
    const vf log2e = vf_set1(0x1.715476p+0f), magic = vf_set1(12582912.0f), least = vf_set1(-28.0f);
    const vi in_range = _mm256_castps_si256(_mm256_cmp_ps(hi, least, _CMP_GT_OQ));
    const vf d = _mm256_max_ps(hi, least); /* of a NaN the second: out of range lanes stay harmless */
    const vf rounded = vf_fma(d, log2e, magic);
    const vf f = vf_fma(lo, log2e, vf_fma(d, vf_set1(0x1.4ae0cp-26f), vf_fma(d, log2e, vf_sub(magic, rounded))));
    struct power p;
    vf q = vf_fma(vf_set1(0x1.42c088p-13f), f, vf_set1(0x1.5f04bp-10f));
    q = vf_fma(q, f, vf_set1(0x1.3b2c18p-7f));
    q = vf_fma(q, f, vf_set1(0x1.c6af74p-5f));
    q = vf_fma(q, f, vf_set1(0x1.ebfbdep-3f));
    q = vf_fma(q, f, vf_set1(0x1.780c18p-28f));
    q = vf_mul(vf_fma(f, vf_set1(0x1.62e43p-1f), vf_mul(f, q)), vf_set1(0x1p30f));
    p.mantissa = vi_and(vi_add(_mm256_cvttps_epi32(q), vi_set1(0x40000000)), in_range);
    p.minus_k = vi_sub(vi_set1(0x4b400000), _mm256_castps_si256(rounded));
    return p;
}

/* Four lanes' mantissas in units of 2^-40. */
static inline __attribute__((always_inline)) __m256i scaled(__m128i mantissa, __m128i minus_k)
{
    return _mm256_srlv_epi64(_mm256_slli_epi64(_mm256_cvtepu32_epi64(mantissa), 10), _mm256_cvtepu32_epi64(minus_k));
}

static inline __attribute__((always_inline)) uint64_t sum_of_lanes(__m256i sums)
{
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)(void *)lanes, sums);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

uint64_t b2s6_sample_sum_avx2(const float *logits, size_t n, float max)
{
    const vf m = vf_set1(max);
    __m256i sums = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += 8) {
        const vf x = vf_load(logits + i), hi = vf_sub(x, m), rounding = vf_sub(hi, x);
        const vf lo = vf_sub(vf_sub(x, vf_sub(hi, rounding)), vf_add(m, rounding)); /* of no use where hi is infinite */
        const struct power p = power(hi, lo);
        sums = _mm256_add_epi64(sums, scaled(_mm256_castsi256_si128(p.mantissa), _mm256_castsi256_si128(p.minus_k)));
        sums = _mm256_add_epi64(sums, scaled(_mm256_extracti128_si256(p.mantissa, 1), _mm256_extracti128_si256(p.minus_k, 1)));
    }
    return sum_of_lanes(sums);
}

void b2s6_sample_weights_avx2(uint32_t *scratch, size_t n, float max, float temperature)
{
    const vf m = vf_set1(max), t = vf_set1(temperature), zero = vf_set1(0.0f);
    for (size_t i = 0; i < n; i += 8) {
        __m256i *place = (__m256i *)(void *)(scratch + i);
        const vf x = _mm256_castsi256_ps(_mm256_loadu_si256(place));
        const struct power p = power(vf_div(vf_sub(x, m), t), zero);
        _mm256_storeu_si256(place, _mm256_srlv_epi32(_mm256_slli_epi32(p.mantissa, 1), p.minus_k));
    }
}

/* Comparisons are of signed numbers, so both sides are moved down by 2^31. */
uint64_t b2s6_sample_above_avx2(const uint32_t *weights, size_t n, uint32_t limit, int count)
{
    const vi flip = vi_set1(INT32_MIN), least = vi_xor(vi_set1((int32_t)limit), flip), one = vi_set1(1);
    __m256i sums = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += 8) {
        const vi w = _mm256_loadu_si256((const __m256i *)(const void *)(weights + i));
        const vi kept = vi_and(count ? one : w, _mm256_cmpgt_epi32(vi_xor(w, flip), least));
        sums = _mm256_add_epi64(sums, _mm256_srli_epi64(kept, 32));
        sums = _mm256_add_epi64(sums, _mm256_srli_epi64(_mm256_slli_epi64(kept, 32), 32));
    }
    return sum_of_lanes(sums);
}

#include "../kernel/isa_end.h"

#endif
