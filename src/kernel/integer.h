/*
 * Products of integer matrices (q8, q4), one text for every instruction set that multiplies several integers at once;
 * include after product.h, whose hints and store_panel it uses. It is in the table as product[TYPE_Q8] and
 * product[TYPE_Q4], called as those of floats are. The including file says how:
 *
 *     INTEGER(name)            name, with the variant of the instruction set after it (names.h)
 *     INTEGER_UNIT             columns that are multiplied at once, a divisor of 8; 2 everywhere so far
 *     INTEGER_VECTORS          vectors vi that 16 sums are, and also those that a unit of 16 rows is
 *     INTEGER_PANELS, _ROWS    of a tile of a chunk; INTEGER_STEP panels of a step
 *     INTEGER_SUM              the type of a vector of sums
 *     weights_q8(at, w)        loads a unit of 16 rows; weights_q4(line, unit, w) one of the eight columns at line
 *     codes_at(at)             a unit of codes, for all rows, of type unit_codes
 *     sums_add(sums, w, codes) sums_total(sums, lanes)
 *     scales_load(at)          the scales of a vector of rows
 *
 * Of these, weights_q8 to sums_total and unit_codes are INTEGER(name), so that two variants may share a file.
 *
 * The sum of a group of columns is an exact integer, in whatever order and however paired: q8 has 64 columns of at
 * most 128 x 32512, together below 2^28; q4 has 32 of at most 127 x 32512. It is rounded to a float once, and the
 * groups go up in one chain: total = fma(sum, scale of weights, total). Then y = fma(total, scale of codes, bias). So
 * only these float operations have an order, and they are the same for every instruction set.
 *
 * A panel of the file is its scales, 16 a group, and then its integers (weights.h). Columns are filled up to whole
 * units there, and codes beyond k are zero, so that columns beyond k add nothing whatever the file holds in its
 * padding.
 */

/*
 * sums (n_panels, n_rows, 16 rows of a panel) += one unit of columns. weights: the unit's bytes (q8) or the line of
 * eight columns that has it (q4, with its number in unit) of the first panel; codes: the unit's codes of the first
 * row. Everything const is a constant of the call. At most 4 panels.
 */
VF_INLINE void INTEGER(add_unit)(INTEGER_SUM sums[][INTEGER_VECTORS], const unsigned char *weights, size_t panel_bytes,
                                 const int16_t *codes, size_t code_stride, const uint32_t type, uint32_t unit,
                                 const int n_panels, const int n_rows, const int is_far)
{
    vi w[4][INTEGER_VECTORS];
    int i, r;

    PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
        if (is_far)
            PRODUCT_AHEAD(weights + (size_t)i * panel_bytes, INTEGER_AHEAD);
        if (type == TYPE_Q4)
            INTEGER(weights_q4)(weights + (size_t)i * panel_bytes, unit, w[i]);
        else
            INTEGER(weights_q8)(weights + (size_t)i * panel_bytes, w[i]);
    }
    PRODUCT_UNROLL for (r = 0; r < n_rows; r++) {
        const INTEGER(unit_codes) c = INTEGER(codes_at)(codes + (size_t)r * code_stride);
        PRODUCT_UNROLL for (i = 0; i < n_panels; i++)
            INTEGER(sums_add)(sums[i * n_rows + r], w[i], c);
    }
}

/*
 * total (n_panels, n_rows, 16) += scale * sum, for the groups whose scales begin at scales, panel_bytes to the next
 * panel's. The conversion rounds a sum of more than 24 bits once, to nearest.
 */
VF_INLINE void INTEGER(add_group)(float total[][16], INTEGER_SUM sums[][INTEGER_VECTORS], const unsigned char *scales,
                                  size_t panel_bytes, const int n_panels, const int n_rows)
{
    vi lanes[PANEL_VECTORS];
    int i, r, v;

    PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
        vf scale[PANEL_VECTORS];
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
            scale[v] = scales_load((const uint16_t *)(const void *)(scales + (size_t)i * panel_bytes) + v * VF_LANES);
        PRODUCT_UNROLL for (r = 0; r < n_rows; r++) {
            INTEGER(sums_total)(sums[i * n_rows + r], lanes);
            PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
                vf_store(total[i * n_rows + r] + v * VF_LANES,
                         vf_fma(vf_from_int(lanes[v]), scale[v], vf_load(total[i * n_rows + r] + v * VF_LANES)));
        }
    }
}

/*
 * y = total times the scale of the row's codes, plus the bias: 16 outputs of one row, or as many as y has. A row with
 * an infinite value has a NaN as scale and all sums 0, so its outputs become NaN, and those of other rows do not.
 */
VF_INLINE void INTEGER(finish)(const struct product *p, const float *total, uint32_t panel, size_t row)
{
    const vf scale = vf_set1(p->scales[row * p->scale_stride]);
    vf y[PANEL_VECTORS];
    int v;

    PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
        y[v] = vf_fma(vf_load(total + v * VF_LANES), scale,
                      p->bias ? vf_load(p->bias + panel * 16 + v * VF_LANES) : vf_set1(0.0f));
    store_panel(p->y + row * p->y_stride + panel * 16, y, p->n_out - panel * 16);
}

/*
 * n_panels panels times n_rows rows, both constants of the call, as are the type and whether they are far (product.h):
 * at most 24 together. Group after group: sums begin at 0 for each, in registers; totals are in memory between groups,
 * one load and store for every 32 or 64 columns.
 */
VF_INLINE void INTEGER(tile)(const struct product *p, const uint32_t type, uint32_t panel, size_t row, const int n_panels,
                             const int n_rows, const int is_far)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k), stride = p->code_stride;
    const unsigned char *scales = (const unsigned char *)p->weight + panel * panel_bytes;
    const unsigned char *weights = scales + weights_scale_bytes(type, p->k);
    const int16_t *codes = p->codes + row * stride;
    const uint32_t group = weights_group(type);
    float total[24][16]; /* in memory: the registers are for the sums */
    /* first: column at which the group begins; k: column within the group */
    uint32_t first, k, unit;
    int i, v;

    memset(total, 0, (size_t)(n_panels * n_rows) * sizeof total[0]);
    /* 32 bytes: the 16 scales of one group; codes and weights go on from unit to unit */
    for (first = 0; first < p->k; first += group, scales += 32) {
        /* columns of this group: all, or what is left of k */
        const uint32_t n = p->k - first < group ? p->k - first : group;
        /* anew for each group: a sum of two groups would need a common scale */
        INTEGER_SUM sums[24][INTEGER_VECTORS];

        PRODUCT_UNROLL for (i = 0; i < n_panels * n_rows; i++) {
            PRODUCT_UNROLL for (v = 0; v < INTEGER_VECTORS; v++)
                sums[i][v] = (INTEGER_SUM)vi_set1(0);
        }
        if (type == TYPE_Q4) {
            for (k = 0; k < n; k += 8, weights += 64)
                for (unit = 0; unit < 8 / INTEGER_UNIT; unit++, codes += INTEGER_UNIT)
                    INTEGER(add_unit)(sums, weights, panel_bytes, codes, stride, type, unit, n_panels, n_rows, is_far);
        } else {
            for (k = 0; k < n; k += INTEGER_UNIT, weights += 16 * INTEGER_UNIT, codes += INTEGER_UNIT)
                INTEGER(add_unit)(sums, weights, panel_bytes, codes, stride, type, 0, n_panels, n_rows, is_far);
        }
        __asm__ volatile("" : : : "memory"); /* or compilers would keep the totals in registers all the same */
        INTEGER(add_group)(total, sums, scales, panel_bytes, n_panels, n_rows);
    }
    PRODUCT_UNROLL for (i = 0; i < n_panels * n_rows; i++)
        INTEGER(finish)(p, total[i], panel + (uint32_t)(i / n_rows), row + (size_t)(i % n_rows));
}

/*
 * All rows of n_panels panels: the large tile only for whole sets of panels, then 4 rows, then single ones. A single
 * panel that is left over is at the edge of a thread's range and not worth a form of its own.
 */
VF_INLINE void INTEGER(panels)(const struct product *p, const uint32_t type, uint32_t panel, const int n_panels)
{
    size_t row = 0;

    for (; n_panels == INTEGER_PANELS && row + INTEGER_ROWS <= p->n_rows; row += INTEGER_ROWS)
        INTEGER(tile)(p, type, panel, row, n_panels, INTEGER_ROWS, 0);
    for (; INTEGER_ROWS > 4 && row + 4 <= p->n_rows; row += 4)
        INTEGER(tile)(p, type, panel, row, n_panels, 4, 0);
    for (; row < p->n_rows; row++)
        INTEGER(tile)(p, type, panel, row, n_panels, 1, 0);
}

/*
 * Panels first_panel .. end_panel - 1, as product_of: one row takes INTEGER_STEP panels at a time, with fetching if
 * the matrix is far. Where INTEGER_STEP or INTEGER_PANELS is 1 the last loop does it, and the others vanish.
 */
VF_INLINE void INTEGER(product)(const struct product *p, const uint32_t type)
{
    const int is_far = product_is_far(p, type);
    uint32_t panel = p->first_panel;

    for (; INTEGER_STEP > 1 && p->n_rows == 1 && is_far && panel + INTEGER_STEP <= p->end_panel; panel += INTEGER_STEP)
        INTEGER(tile)(p, type, panel, 0, INTEGER_STEP, 1, 1);
    for (; INTEGER_STEP > 1 && p->n_rows == 1 && panel + INTEGER_STEP <= p->end_panel; panel += INTEGER_STEP)
        INTEGER(tile)(p, type, panel, 0, INTEGER_STEP, 1, 0);
    for (; INTEGER_PANELS > 1 && panel + INTEGER_PANELS <= p->end_panel; panel += INTEGER_PANELS)
        INTEGER(panels)(p, type, panel, INTEGER_PANELS);
    for (; panel < p->end_panel; panel++)
        INTEGER(panels)(p, type, panel, 1);
}

/* The two of the table: the type becomes a constant here. */
static void INTEGER(product_q8)(const struct product *p)
{
    INTEGER(product)(p, TYPE_Q8);
}

static void INTEGER(product_q4)(const struct product *p)
{
    INTEGER(product)(p, TYPE_Q4);
}
