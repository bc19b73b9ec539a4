/*
 * Sums of pairs, for kernel/integer.h: a lane multiplies two columns of one row at once. Before it pairs_q8, pairs_q4 and
 * PAIRS_ADD(sum, w, c) must be there, which adds the products of two 16-bit integers in each 32-bit lane to the lane.
 */
typedef vi INTEGER(unit_codes);

VF_INLINE void INTEGER(weights_q8)(const unsigned char *at, vi *w)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        w[v] = pairs_q8(at + v * 2 * VF_LANES);
}

VF_INLINE void INTEGER(weights_q4)(const unsigned char *line, uint32_t unit, vi *w)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        w[v] = pairs_q4(line + unit % 2 * 32 + v * 2 * VF_LANES, unit / 2 * 4);
}

VF_INLINE vi INTEGER(codes_at)(const int16_t *at)
{
    int32_t pair;

    memcpy(&pair, at, sizeof pair);
    return vi_set1(pair);
}

VF_INLINE void INTEGER(sums_add)(INTEGER_SUM *sums, const vi *w, vi pair)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        sums[v] = (INTEGER_SUM)PAIRS_ADD((vi)sums[v], w[v], pair);
}

VF_INLINE void INTEGER(sums_total)(const INTEGER_SUM *sums, vi *lanes)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        lanes[v] = (vi)sums[v];
}
