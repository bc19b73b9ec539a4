/* What every vector layer has in common, written on top of its own names. Included at the end of each vec_*.h. */

#define VF_ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */

/*
 * Nearest integer, ties to even, for |a| < 2^22. Any other a, infinite or NaN included, gives some integer.
 *
 * a + 1.5 * 2^23 is then between 2^23 and 2^24, where floats are exactly the integers, so the sum rounds a to one.
 * There, bits go up by one with each integer, and 0x4b400000 are those of 1.5 * 2^23. No conversion instruction: those
 * of different machines differ for what does not fit, and in C it is undefined. a must be no product of its own
 * (portable/vec.h).
 */
VF_INLINE vi vf_nearest_int(vf a)
{
    return vi_sub(vf_bits(vf_add(a, vf_set1(VF_ROUND_MAGIC))), vi_set1(0x4b400000));
}

/*
 * scale a + b and scale a - b, scale a power of two: the product is exact, so where fused operations are made from
 * others (VF_FUSED) two plain ones give the same. Only not if the product is below 2^-126: what the callers add it to
 * must be far from that, or the sum of no account.
 */
VF_INLINE vf vf_scaled_add(vf scale, vf a, vf b)
{
    return VF_FUSED ? vf_fma(scale, a, b) : vf_add(vf_mul(scale, a), b);
}

VF_INLINE vf vf_scaled_sub(vf scale, vf a, vf b)
{
    return VF_FUSED ? vf_fms(scale, a, b) : vf_sub(vf_mul(scale, a), b);
}
