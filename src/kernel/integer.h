/*
 * Products of integer matrices, one text for every instruction set that multiplies several integers at once; include after
 * product.h. The including file says how:
 *
 *     INTEGER(name)            name, with something of this variant's own behind it
 *     INTEGER_UNIT             columns that are multiplied at once: 2 or 4
 *     INTEGER_VECTORS          vectors vi that 16 sums are, and also those that a unit of 16 rows is
 *     INTEGER_PANELS, _ROWS    of a tile of a chunk; INTEGER_STEP panels of a step
 *     weights_q8(at, w)        loads a unit of 16 rows; weights_q4(line, unit, w) one of the eight columns at line
 *     codes_at(at)             a unit of codes, for all rows
 *     sums_add(sums, w, codes) sums_total(sums, lanes)
 *     scales_load(at)          the scales of a vector of rows
 *
 * The sum of a group of columns is an exact integer. It is rounded to a float once, and the groups go up in one chain:
 * total = fma(sum, scale of weights, total). Then y = fma(total, scale of codes, bias).
 */

/* One unit of n_panels panels times n_rows rows. */
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

/* total += scale * sum, for the groups whose scales begin at scales. */
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

/* n_panels panels times n_rows rows, both constants of the call, as are the type and whether they are far (product.h). */
VF_INLINE void INTEGER(tile)(const struct product *p, const uint32_t type, uint32_t panel, size_t row, const int n_panels,
                             const int n_rows, const int is_far)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k), stride = p->code_stride;
    const unsigned char *scales = (const unsigned char *)p->weight + panel * panel_bytes;
    const unsigned char *weights = scales + weights_scale_bytes(type, p->k);
    const int16_t *codes = p->codes + row * stride;
    const uint32_t group = weights_group(type);
    float total[24][16]; /* in memory: the registers are for the sums */
    uint32_t first, k, unit;
    int i, v;

    memset(total, 0, (size_t)(n_panels * n_rows) * sizeof total[0]);
    for (first = 0; first < p->k; first += group, scales += 32) {
        const uint32_t n = p->k - first < group ? p->k - first : group;
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

/* All rows of n_panels panels. */
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

static void INTEGER(product_q8)(const struct product *p)
{
    INTEGER(product)(p, TYPE_Q8);
}

static void INTEGER(product_q4)(const struct product *p)
{
    INTEGER(product)(p, TYPE_Q4);
}
