/*
 * Sums of pairs, for kernel/integer.h: the instructions of SSE2, AVX2, AVX-512 and (by several) NEON that multiply
 * 16-bit integers and add neighbouring products. A 32-bit lane is one row of the matrix, and multiplies two columns of
 * it at once:
 *
 *     w     | row 0: w(k) w(k+1) | row 1: w(k) w(k+1) | ...      the stored bytes or levels, widened to 16 bits
 *     codes |        c(k) c(k+1) |        c(k) c(k+1) | ...      the same pair in every lane
 *     sum   | += w(k) c(k) + w(k+1) c(k+1)            | ...
 *
 * Before it pairs_q8, pairs_q4 (stored_*.h) and PAIRS_ADD(sum, w, c) must be there, which adds the products of two
 * 16-bit integers in each 32-bit lane to the lane. Codes are within +-32512 and weights within +-128, so a pair's sum
 * is within 2^23: the one case in which the instruction of x86 overflows (four times -32768) cannot be. Included once
 * for each INTEGER_ISA.
 */

/* A unit of codes: one pair, in every lane. */
typedef vi INTEGER(unit_codes);

/* w (16 rows, 2 columns): the 32 bytes of a pair of columns at `at`, as 16-bit integers. */
VF_INLINE void INTEGER(weights_q8)(const unsigned char *at, vi *w)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        w[v] = pairs_q8(at + v * 2 * VF_LANES);
}

/*
 * The same of columns 2 unit, 2 unit + 1 of the eight whose 64 bytes are at line: units 0 and 1 are the low halves of
 * the first and the second 32 bytes, units 2 and 3 the high halves (weights.h). After unrolling the shift is a
 * constant.
 */
VF_INLINE void INTEGER(weights_q4)(const unsigned char *line, uint32_t unit, vi *w)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        w[v] = pairs_q4(line + unit % 2 * 32 + v * 2 * VF_LANES, unit / 2 * 4);
}

/*
 * The pair at `at` for all lanes. Copied, as codes are aligned to 2 bytes only and are no int32_t to the compiler; all
 * of these machines are little-endian, so the first of the pair is in the lower half, as the first column is in w.
 */
VF_INLINE vi INTEGER(codes_at)(const int16_t *at)
{
    int32_t pair;

    memcpy(&pair, at, sizeof pair);
    return vi_set1(pair);
}

/* sums (16 rows) += w times the pair. Exact: integer.h has the bound. */
VF_INLINE void INTEGER(sums_add)(INTEGER_SUM *sums, const vi *w, vi pair)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        sums[v] = (INTEGER_SUM)PAIRS_ADD((vi)sums[v], w[v], pair);
}

/* The sums of 16 rows as vectors of the vector layer. With pairs a lane is the whole sum of its row. */
VF_INLINE void INTEGER(sums_total)(const INTEGER_SUM *sums, vi *lanes)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        lanes[v] = (vi)sums[v];
}
