/*
 * Matrix products, one text for every instruction set; include after a vec_*.h.
 *
 * Each output is one chain: the bias (or 0), then fma(w_k, x_k, acc) with k ascending. Lanes are outputs, so the width of
 * a vector changes nothing. Several panels or several rows in flight hide the latency of the chain.
 */
enum { PANEL_VECTORS = 16 / VF_LANES };

/* Writes the 16 outputs of a panel, or as many as y has. */
VF_INLINE void store_panel(float *y, const vf *acc, uint32_t n_left)
{
    float last[16];
    int v;

    if (n_left >= 16) {
        for (v = 0; v < PANEL_VECTORS; v++)
            vf_store(y + v * VF_LANES, acc[v]);
    } else {
        for (v = 0; v < PANEL_VECTORS; v++)
            vf_store(last + v * VF_LANES, acc[v]);
        memcpy(y, last, n_left * sizeof *y);
    }
}

/* n_panels panels times n_rows rows, both constants of the call, so that the accumulators are registers. */
VF_INLINE void product_tile(const struct product *p, uint32_t panel, size_t row, const int n_panels, const int n_rows)
{
    const size_t panel_floats = (size_t)p->k * 16;
    const float *w = (const float *)p->weight + panel * panel_floats;
    const float *x = p->x + row * p->x_stride;
    vf acc[8][PANEL_VECTORS];
    uint32_t k;
    int i, r, v;

    for (i = 0; i < n_panels; i++)
        for (r = 0; r < n_rows; r++)
            for (v = 0; v < PANEL_VECTORS; v++)
                acc[i * n_rows + r][v] =
                    p->bias ? vf_load(p->bias + (panel + (uint32_t)i) * 16 + v * VF_LANES) : vf_set1(0.0f);
    for (k = 0; k < p->k; k++)
        for (i = 0; i < n_panels; i++)
            for (v = 0; v < PANEL_VECTORS; v++) {
                const vf weight = vf_load(w + (size_t)i * panel_floats + (size_t)k * 16 + v * VF_LANES);
                for (r = 0; r < n_rows; r++)
                    acc[i * n_rows + r][v] = vf_fma(weight, vf_set1(x[(size_t)r * p->x_stride + k]), acc[i * n_rows + r][v]);
            }
    for (i = 0; i < n_panels; i++)
        for (r = 0; r < n_rows; r++)
            store_panel(p->y + (row + (size_t)r) * p->y_stride + (panel + (uint32_t)i) * 16, acc[i * n_rows + r],
                        p->n_out - (panel + (uint32_t)i) * 16);
}

static void product(const struct product *p)
{
    uint32_t panel;
    size_t row;

    for (panel = p->first_panel; panel < p->end_panel; panel++) {
        row = 0;
        for (; row + 4 <= p->n_rows; row += 4)
            product_tile(p, panel, row, 1, 4);
        for (; row < p->n_rows; row++)
            product_tile(p, panel, row, 1, 1);
    }
}
