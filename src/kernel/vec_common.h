/* What every vector layer has in common, written on top of its own names. Included at the end of each vec_*.h. */

#define VF_ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */

/* Nearest integer, ties to even, for |a| < 2^22. Any other a, infinite or NaN included, gives some integer. */
VF_INLINE vi vf_nearest_int(vf a)
{
    return vi_sub(vf_bits(vf_add(a, vf_set1(VF_ROUND_MAGIC))), vi_set1(0x4b400000));
}
