/*
 * Products of integer matrices in plain C; include after vec.h and product.h. The place of kernel/integer.h for one
 * lane, where an integer instruction does one product: the same exact sums, and the same chain of float operations
 * over groups (there).
 *
 * Four rows of the matrix at a time: their sums stay in registers, and their weights are side by side: 8 bytes of the
 * 32 that a pair of columns takes in a panel. More rows at once would leave a processor of 16 registers none for
 * addresses. Codes and scales are in the order of quantize.h. Weights need no alignment beyond a scale's 2 bytes.
 */

/*
 * sums (4) += weights times codes of n columns, for the four rows from row on: weights points at the first of them in
 * the first pair of columns. n is at most 64 and may be odd: columns are filled up in the file, and codes with zeros.
 * A sum is below 2^28 (kernel/integer.h), so nothing overflows an int32_t.
 */
VF_INLINE void sum_q8(const unsigned char *weights, const int16_t *codes, uint32_t n, int32_t *sums)
{
    const int8_t *w = (const int8_t *)weights;
    uint32_t k;
    int r;

    /* a pair of columns is 32 bytes, two of them for each row */
    for (k = 0; k < n; k += 2, w += 32)
        PRODUCT_UNROLL for (r = 0; r < 4; r++)
            sums[r] += w[2 * r] * codes[k] + w[2 * r + 1] * codes[k + 1];
}

/*
 * The same for q4, n at most 32, by whole eights of columns (weights.h). A byte has two columns that are four apart,
 * so codes i, i + 1 go with the low halves and i + 4, i + 5 with the high ones.
 */
VF_INLINE void sum_q4(const unsigned char *weights, const int16_t *codes, uint32_t n, int32_t *sums)
{
    const int8_t *level = b2s6_q4_levels;
    uint32_t k;
    int i, r;

    for (k = 0; k < n; k += 8, weights += 64)
        for (i = 0; i < 4; i += 2) { /* columns k + i, k + i + 1 in the low halves, k + 4 + i, k + 5 + i in the high ones */
            /* i 0: the first 32 bytes of the line, i 2: the second; byte 2 r is row r's first column */
            const unsigned char *w = weights + 16 * i;
            const int16_t *c = codes + k + (uint32_t)i;

            for (r = 0; r < 4; r++)
                sums[r] += level[w[2 * r] & 15] * c[0] + level[w[2 * r + 1] & 15] * c[1] + level[w[2 * r] >> 4] * c[4] +
                           level[w[2 * r + 1] >> 4] * c[5];
        }
}

/*
 * Outputs first .. first + 3 of a panel for one row of codes: y = (sum over groups of scale * sum) times the scale of
 * the codes, plus bias. Outputs from n_out on are not written, as y may end there; their scales and weights are in the
 * file all the same.
 */
VF_INLINE void integer_quarter(const struct product *p, const uint32_t type, uint32_t panel, size_t row, uint32_t first)
{
    const unsigned char *at = (const unsigned char *)p->weight + panel * (size_t)weights_panel_bytes(type, p->k);
    const uint16_t *scales = (const uint16_t *)(const void *)at + first;
    const unsigned char *weights = at + weights_scale_bytes(type, p->k) + 2 * first;
    const int16_t *codes = p->codes + row * p->code_stride;
    const uint32_t group = weights_group(type), output = panel * 16 + first;
    float total[4], *y = p->y + row * p->y_stride + output;
    uint32_t k, r;

    PRODUCT_UNROLL for (r = 0; r < 4; r++)
        total[r] = 0.0f;

    /* a group's 16 scales are 16 values on; its integers half a byte or a byte for each of 16 rows and a column */
    for (k = 0; k < p->k; k += group, codes += group, scales += 16, weights += type == TYPE_Q4 ? group * 8 : group * 16) {
        /* the last group may be short */
        const uint32_t n = p->k - k < group ? p->k - k : group;
        int32_t sums[4];

        PRODUCT_UNROLL for (r = 0; r < 4; r++)
            sums[r] = 0;
        if (type == TYPE_Q4)
            sum_q4(weights, codes, n, sums);
        else
            sum_q8(weights, codes, n, sums);
        PRODUCT_UNROLL for (r = 0; r < 4; r++)
            /* the one rounding of an exact sum, then the chain */
            total[r] = vf_fma((float)sums[r], weights_scale(scales[r]), total[r]);
    }
    /* as every other kernel: once for the codes' scale and the bias */
    for (r = 0; r < 4 && output + r < p->n_out; r++)
        y[r] = vf_fma(total[r], p->scales[row * p->scale_stride], p->bias ? p->bias[output + r] : 0.0f);
}

/*
 * Panels first_panel .. end_panel - 1 of all rows. Panels outside, so that a panel stays in a cache, if there is one,
 * for all rows. One form for steps and chunks, and no fetching ahead: here the multiplications take the time.
 */
VF_INLINE void integer_product(const struct product *p, const uint32_t type)
{
    uint32_t panel, first;
    size_t row;

    for (panel = p->first_panel; panel < p->end_panel; panel++)
        for (row = 0; row < p->n_rows; row++)
            for (first = 0; first < 16; first += 4)
                integer_quarter(p, type, panel, row, first);
}

/* The two of the table: the type becomes a constant here. */
static void INTEGER(product_q8)(const struct product *p)
{
    integer_product(p, TYPE_Q8);
}

static void INTEGER(product_q4)(const struct product *p)
{
    integer_product(p, TYPE_Q4);
}
