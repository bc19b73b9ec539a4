/*
 * Matrix products, one text for every instruction set; include after a vec_*.h.
 *
 * Each output is one chain: the bias (or 0), then fma(w_k, x_k, acc) with k ascending. Lanes are outputs, so neither the width
 * of a vector nor the number of panels and rows in flight changes a bit. A step reads every weight once, so it is bound by
 * memory and keeps several panels, that is several streams of memory, in flight; a chunk of rows is bound by arithmetic and
 * keeps as many accumulators as there are registers.
 */
enum { PANEL_VECTORS = 16 / VF_LANES };

#if defined(B2S6_SMALL) /* one tile for all */
enum { TILE_PANELS = 1, TILE_ROWS = 1 };
#elif VF_LANES == 16 /* 32 registers: 24 accumulators, a weight each for two panels, a value of x */
enum { TILE_PANELS = 2, TILE_ROWS = 12 };
#elif VF_LANES == 8 /* 16 registers: 12 accumulators, the panel's two weights, a value of x */
enum { TILE_PANELS = 1, TILE_ROWS = 6 };
#else /* NEON has 32 registers; elsewhere the fused operation is the bound */
enum { TILE_PANELS = 1, TILE_ROWS = 6 };
#endif
enum { STEP_PANELS = VF_LANES >= 8 ? 4 : 1 };

/* Loops over tiles must vanish, or the accumulators would live in memory. */
#if defined(__clang__)
#  define PRODUCT_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#  define PRODUCT_UNROLL _Pragma("GCC unroll 32")
#else
#  define PRODUCT_UNROLL
#endif

/*
 * A chunk reads each weight from far memory once and then, while it works through its rows, from the cache. Its first rows
 * fetch the panels after these ahead, so that the arithmetic does not wait for them. A hint only: nothing is read.
 */
#if defined(__GNUC__) && !defined(B2S6_SMALL)
#  define PRODUCT_AHEAD(address) __builtin_prefetch((address), 0, 2)
#else
#  define PRODUCT_AHEAD(address) ((void)0)
#endif

/* Writes the 16 outputs of a panel, or as many as y has. */
VF_INLINE void store_panel(float *y, const vf *acc, uint32_t n_left)
{
    float last[16];
    int v;

    if (n_left >= 16) {
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
            vf_store(y + v * VF_LANES, acc[v]);
    } else {
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
            vf_store(last + v * VF_LANES, acc[v]);
        memcpy(y, last, n_left * sizeof *y);
    }
}

/* A vector of weights: floats, or halves made to floats, which is exact. */
VF_INLINE vf load_weights(const unsigned char *at, const uint32_t type)
{
    return type == TYPE_F16 ? load_half((const uint16_t *)(const void *)at) : vf_load((const float *)(const void *)at);
}

/*
 * n_panels panels times n_rows rows, both constants of the call, as the type is. ahead: a panel to fetch for later, or NULL.
 */
VF_INLINE void product_tile(const struct product *p, const uint32_t type, uint32_t panel, size_t row, const int n_panels,
                            const int n_rows, const unsigned char *ahead)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k), x_stride = p->x_stride;
    const uint32_t value_bytes = type == TYPE_F16 ? 2 : 4;
    const unsigned char *w = (const unsigned char *)p->weight + panel * panel_bytes;
    const float *x = p->x + row * x_stride;
    vf acc[24][PANEL_VECTORS];
    uint32_t k;
    int i, r, v;

    PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++) {
            const vf bias = p->bias ? vf_load(p->bias + (panel + (uint32_t)i) * 16 + v * VF_LANES) : vf_set1(0.0f);
            PRODUCT_UNROLL for (r = 0; r < n_rows; r++)
                acc[i * n_rows + r][v] = bias;
        }
    }
    for (k = 0; k < p->k; k++, w += 16 * value_bytes, x++) {
        vf weight[4 * PANEL_VECTORS];
        if (ahead)
            PRODUCT_AHEAD(ahead + (size_t)k * 16 * value_bytes);
        PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
            PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
                weight[i * PANEL_VECTORS + v] = load_weights(w + (size_t)i * panel_bytes + (uint32_t)v * VF_LANES * value_bytes,
                                                             type);
        }
        PRODUCT_UNROLL for (r = 0; r < n_rows; r++) {
            const vf value = vf_set1(x[(size_t)r * x_stride]);
            PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
                PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
                    acc[i * n_rows + r][v] = vf_fma(weight[i * PANEL_VECTORS + v], value, acc[i * n_rows + r][v]);
            }
        }
    }
    PRODUCT_UNROLL for (i = 0; i < n_panels; i++) {
        PRODUCT_UNROLL for (r = 0; r < n_rows; r++)
            store_panel(p->y + (row + (size_t)r) * p->y_stride + (panel + (uint32_t)i) * 16, acc[i * n_rows + r],
                        p->n_out - (panel + (uint32_t)i) * 16);
    }
}

/* All rows of n_panels panels. */
VF_INLINE void product_panels(const struct product *p, const uint32_t type, uint32_t panel, const int n_panels)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k);
    uint32_t next = panel + (uint32_t)n_panels, last = next + (uint32_t)n_panels;
    size_t row = 0;

    last = last < p->end_panel ? last : p->end_panel;
    for (; row + TILE_ROWS <= p->n_rows; row += TILE_ROWS) /* one panel ahead for each of the first tiles */
        product_tile(p, type, panel, row, n_panels, TILE_ROWS,
                     next < last ? (const unsigned char *)p->weight + next++ * panel_bytes : NULL);
    for (; TILE_ROWS > 3 && row + TILE_ROWS / 3 <= p->n_rows; row += TILE_ROWS / 3)
        product_tile(p, type, panel, row, n_panels, TILE_ROWS / 3, NULL);
    for (; TILE_ROWS > 1 && row < p->n_rows; row++)
        product_tile(p, type, panel, row, n_panels, 1, NULL);
}

VF_INLINE void product_of(const struct product *p, const uint32_t type)
{
    uint32_t panel = p->first_panel;

    if (p->n_rows == 1)
        for (; STEP_PANELS > 1 && panel + STEP_PANELS <= p->end_panel; panel += STEP_PANELS)
            product_tile(p, type, panel, 0, STEP_PANELS, 1, NULL);
    for (; TILE_PANELS > 1 && panel + TILE_PANELS <= p->end_panel; panel += TILE_PANELS)
        product_panels(p, type, panel, TILE_PANELS);
    for (; panel < p->end_panel; panel++)
        product_panels(p, type, panel, 1);
}

static void product_f32(const struct product *p)
{
    product_of(p, TYPE_F32);
}

static void product_f16(const struct product *p)
{
    product_of(p, TYPE_F16);
}
