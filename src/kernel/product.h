/*
 * Matrix products y = W x + bias of floats and halves, one text for every instruction set. Included by each
 * kernels_*.c after its vec_*.h and stored_*.h (load_half). What it makes is in the table as product[TYPE_F32],
 * product[TYPE_F16] and pack, and is called by src/pass.c only, with a range of panels for each thread; threads share
 * y, and each writes the columns of its own panels. It knows neither models nor threads. It allocates nothing and
 * cannot fail.
 *
 * A panel of W is 16 rows, column after column, so that 16 consecutive values are one column:
 *
 *         k = 0            k = 1            k = 2
 *     | w0 .. w15 at 0 | w0 .. w15 at 1 | w0 .. w15 at 2 | ...      k columns; the next panel follows at once
 *
 * Each output is one chain: the bias (or 0), then fma(w_k, x_k, acc) with k ascending. Lanes are outputs, so neither
 * the width of a vector nor the number of panels and rows in flight changes a bit. The obvious other way, lanes along
 * k and a sum across them at the end, would give bits that depend on the width.
 *
 * A step (one row) reads every weight once, so it is bound by memory and keeps several panels, that is several streams
 * of memory, in flight. A chunk of rows is bound by arithmetic and keeps as many accumulators as there are registers:
 * a tile of panels x rows, of which every weight loaded serves all rows, and every value of x all panels.
 */

/* Vectors that the 16 outputs of a panel are. */
enum { PANEL_VECTORS = 16 / VF_LANES };

/*
 * The tile of a chunk. A product of panels and rows is how many fused operations are under way at once: each waits
 * some cycles for the one before it in its chain, so fewer than (latency x operations a cycle) leave the machine idle;
 * more than there are registers go through memory.
 */
#if VF_LANES == 16 /* 32 registers: 24 accumulators, a weight each for two panels, a value of x */
enum { TILE_PANELS = 2, TILE_ROWS = 12 };
#elif VF_LANES == 8 /* 16 registers: 12 accumulators, the panel's two weights, a value of x */
enum { TILE_PANELS = 1, TILE_ROWS = 6 };
#else /* NEON has 32 registers: 24 accumulators, four weights, a value of x; elsewhere the fused operation is the bound */
enum { TILE_PANELS = 1, TILE_ROWS = 6 };
#endif
/* Panels of a step, which has one row: so many streams of memory, and so many chains for each vector of a panel. */
enum { STEP_PANELS = VF_LANES >= 8 ? 4 : 1 };
enum { K_UNROLL = VF_LANES >= 8 ? 4 : 1 }; /* values of k; measured with wide vectors only */

/*
 * With 12 rows in a tile their addresses alone would fill the integer registers, so they are packed (kernels.h): the
 * 12 values of one k are consecutive, and one address serves them all. With 6 rows there are registers enough, and
 * packing would cost a pass over the input for nothing.
 */
#if VF_LANES == 16
enum { PACK_ROWS = TILE_ROWS };
#  define PACK KERNEL(pack)
#else
enum { PACK_ROWS = 0 };
#  define PACK NULL
#endif

/*
 * Loops over tiles must vanish, or the accumulators would be an array in memory: an array that a variable indexes has
 * no registers. clang 14 forgets to unroll loops within two others, so it is told. Where the fused operation is a
 * function, a small build gains nothing by that.
 */
#if defined(B2S6_SMALL) && !defined(B2S6_HARDWARE_FMA)
#  define PRODUCT_UNROLL
#elif defined(__clang__)
#  define PRODUCT_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#  define PRODUCT_UNROLL _Pragma("GCC unroll 32")
#else
#  define PRODUCT_UNROLL
#endif

/*
 * A chunk reads each weight from far memory once and then, while it works through its rows, from the cache. Meanwhile
 * it fetches the panels after these, a little with every few values of k, so that the arithmetic does not wait for
 * them; all at once was measured, and slower. A hint only: nothing is read, and no address of it can fault.
 *
 * Of floats and two panels, four tiles fetch all that comes next: 4 tiles x k / 4 fetches x 128 bytes = 2 panels x 64
 * k bytes.
 */
struct ahead {
    uintptr_t at, end; /* what is left to fetch; numbers, since at may pass the end of the file by less than a stride */
};
/* Two lines of 64 bytes. */
enum { AHEAD_BYTES = 128 }; /* for every K_UNROLL values of k */

/*
 * A step reads its weights once, in as many streams as it has panels; the processor's own fetching stops at the end of
 * a page, so each stream is fetched this many bytes ahead. Measured: what is best for floats is not for integers,
 * whose panels are short.
 */
enum { STEP_AHEAD = 512, INTEGER_AHEAD = 8192 };

/* Matrices of more bytes than this do not stay in a near cache from one step to the next; for smaller ones fetching costs. */
enum { FAR_BYTES = 512 * 1024 };

/*
 * Of the whole matrix, not of this thread's panels: what must stay in a cache from one step to the next is all of it.
 * Rows that fill no panel are not counted, which matters to nothing here.
 */
VF_INLINE int product_is_far(const struct product *p, const uint32_t type)
{
    return (uint64_t)(p->n_out / 16) * weights_panel_bytes(type, p->k) > FAR_BYTES;
}

/*
 * What is `bytes` after at, which may be after the end of the file: so the address is formed as a number, since a
 * pointer beyond its object is undefined even if nobody reads through it. To be read (0), and kept in the second cache
 * (2): the first is for the rows and weights in use.
 */
#if defined(__GNUC__) && !defined(B2S6_SMALL)
#  define PRODUCT_AHEAD(at, bytes) __builtin_prefetch((const void *)((uintptr_t)(at) + (bytes)), 0, 2)
#else
#  define PRODUCT_AHEAD(at, bytes) ((void)0)
#endif

/*
 * Writes the 16 outputs acc of a panel to y, or only the n_left that y has, where its rows are no whole panels (the
 * head's output, which is the caller's memory). n_left is at least 1. The detour through last keeps any byte beyond
 * untouched.
 */
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

/*
 * VF_LANES weights of one column: floats, or halves made to floats, which is exact, so both types share the chain.
 * type is a constant of the call, as everywhere here, and the question vanishes. Files align tensors to 64 bytes and a
 * column takes 64 or 32, but the load asks for no alignment.
 */
VF_INLINE vf load_weights(const unsigned char *at, const uint32_t type)
{
    return type == TYPE_F16 ? load_half((const uint16_t *)(const void *)at) : vf_load((const float *)(const void *)at);
}

#if defined(B2S6_SMALL)

/*
 * As below, for one lane and one tile: a panel and a row at a time, whose 16 accumulators are in an array. For
 * firmware: it is a fraction of the code, and there is no cache that tiles would serve.
 */
static void KERNEL(product_panel)(const struct product *p, const uint32_t type, uint32_t panel, size_t row)
{
    const uint32_t value_bytes = type == TYPE_F16 ? 2 : 4;
    const unsigned char *w = (const unsigned char *)p->weight + panel * (size_t)weights_panel_bytes(type, p->k);
    const float *x = p->x + row * p->x_stride;
    vf acc[16];
    uint32_t k, r;

    PRODUCT_UNROLL for (r = 0; r < 16; r++)
        acc[r] = p->bias ? p->bias[panel * 16 + r] : 0.0f;
    for (k = 0; k < p->k; k++, w += 16 * value_bytes) {
        const vf value = x[k];

        PRODUCT_UNROLL for (r = 0; r < 16; r++)
            acc[r] = vf_fma(load_weights(w + r * value_bytes, type), value, acc[r]);
    }
    store_panel(p->y + row * p->y_stride + panel * 16, acc, p->n_out - panel * 16);
}

/* Panels first_panel .. end_panel - 1 of all rows. */
VF_INLINE void product_of(const struct product *p, const uint32_t type)
{
    uint32_t panel;
    size_t row;

    for (panel = p->first_panel; panel < p->end_panel; panel++)
        for (row = 0; row < p->n_rows; row++)
            KERNEL(product_panel)(p, type, panel, row);
}

#else

/*
 * What a tile works on: a constant for each of its uses, so that loops over panels and rows vanish. At most 24
 * accumulators of 16 outputs: n_panels n_rows <= 24, n_panels <= 4.
 */
struct tile {
    int n_panels, n_rows;
    uint32_t type;
    int packed; /* x (k, rows of a tile) instead of (rows, k) */
    int is_far; /* one row of a matrix that no near cache holds */
};

/*
 * One value of k: acc (n_panels, n_rows, vectors) += w_k x_k. w: column k of the first panel, panel_bytes to the next
 * one's; x: value k of the first row, x_stride floats to the next row's. Weights are loaded once for all rows, so a
 * value of x is the only load in the inner loop.
 */
VF_INLINE void product_k(vf acc[][PANEL_VECTORS], const struct tile t, const unsigned char *w, size_t panel_bytes,
                         const float *x, size_t x_stride)
{
    const uint32_t vector_bytes = VF_LANES * (t.type == TYPE_F16 ? 2u : 4u);
    vf weight[4 * PANEL_VECTORS];
    int i, r, v;

    PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++) {
        if (t.is_far)
            PRODUCT_AHEAD(w + (size_t)i * panel_bytes, STEP_AHEAD);
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
            weight[i * PANEL_VECTORS + v] = load_weights(w + (size_t)i * panel_bytes + (uint32_t)v * vector_bytes, t.type);
    }
    PRODUCT_UNROLL for (r = 0; r < t.n_rows; r++) {
        const vf value = vf_set1(x[(size_t)r * x_stride]);
        PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++) {
            PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
                acc[i * t.n_rows + r][v] = vf_fma(weight[i * PANEL_VECTORS + v], value, acc[i * t.n_rows + r][v]);
        }
    }
}

/* What a chain begins with where there is no bias: a row of zeros costs no question inside the loop. */
static const float no_bias[16] = { 0 };

/*
 * The tile of panels panel, panel + 1, ... and rows row, row + 1, ..., all k columns of it: accumulators begin with
 * the bias, go through all of k, and are stored. ahead: what to fetch for later, brought up to date; NULL: nothing.
 *
 * Without tiles along k, which would have to keep partial sums in memory: measured, no gain. All of packed is whole
 * tiles, so row is a multiple of TILE_ROWS if the tile is packed. The unrolled loop does K_UNROLL columns in ascending
 * order, as the plain one does, so the order of a chain is the same.
 */
VF_INLINE void product_tile(const struct product *p, const struct tile t, uint32_t panel, size_t row, struct ahead *ahead)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(t.type, p->k), k_bytes = 16 * (t.type == TYPE_F16 ? 2 : 4);
    const size_t x_stride = t.packed ? 1 : p->x_stride, x_step = t.packed ? TILE_ROWS : 1; /* to the next row, the next k */
    const unsigned char *w = (const unsigned char *)p->weight + panel * panel_bytes;
    const float *x = t.packed ? p->packed + row / TILE_ROWS * p->packed_stride : p->x + row * x_stride;
    vf acc[24][PANEL_VECTORS];
    uint32_t k = 0;
    int i, r, v;

    PRODUCT_UNROLL for (r = 0; r < t.n_panels * t.n_rows; r++) {
        PRODUCT_UNROLL for (v = 0; v < PANEL_VECTORS; v++)
            acc[r][v] = vf_load((p->bias ? p->bias + (panel + (uint32_t)(r / t.n_rows)) * 16 : no_bias) + v * VF_LANES);
    }
    for (; K_UNROLL > 1 && t.n_rows > 1 && k + K_UNROLL <= p->k;
         k += K_UNROLL, w += K_UNROLL * k_bytes, x += K_UNROLL * x_step) {
        if (ahead) {
            PRODUCT_AHEAD(ahead->at, 0);
            PRODUCT_AHEAD(ahead->at, AHEAD_BYTES / 2);
            ahead->at += ahead->at < ahead->end ? AHEAD_BYTES : 0;
        }
        PRODUCT_UNROLL for (i = 0; i < K_UNROLL; i++)
            product_k(acc, t, w + (size_t)i * k_bytes, panel_bytes, x + (size_t)i * x_step, x_stride);
    }
    for (; k < p->k; k++, w += k_bytes, x += x_step)
        product_k(acc, t, w, panel_bytes, x, x_stride);
    PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++) {
        PRODUCT_UNROLL for (r = 0; r < t.n_rows; r++)
            store_panel(p->y + (row + (size_t)r) * p->y_stride + (panel + (uint32_t)i) * 16, acc[i * t.n_rows + r],
                        p->n_out - (panel + (uint32_t)i) * 16);
    }
}

/*
 * All rows of n_panels panels: whole tiles first, then tiles of a third of the rows, then single rows; 132 rows of a
 * chunk are whole tiles, a batch of streams may be anything. Panels are the outer loop, so that the weights of a tile
 * stay in the first caches while the rows go by. Few forms of a tile, since each is a loop of its own in the code.
 *
 * ahead is what the next call of this thread will read: no further than end_panel, where another thread's begin.
 */
VF_INLINE void product_panels(const struct product *p, const uint32_t type, uint32_t panel, const int n_panels)
{
    const struct tile packed = { n_panels, TILE_ROWS, type, 1, 0 }, whole = { n_panels, TILE_ROWS, type, 0, 0 };
    const struct tile third = { n_panels, TILE_ROWS / 3, type, 0, 0 }, one = { n_panels, 1, type, 0, 0 };
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k);
    const uint32_t next = panel + (uint32_t)n_panels, last = next + (uint32_t)n_panels;
    struct ahead ahead;
    size_t row = 0;

    ahead.at = (uintptr_t)p->weight + next * panel_bytes;
    ahead.end = (uintptr_t)p->weight + (last < p->end_panel ? last : p->end_panel) * panel_bytes;
    for (; PACK_ROWS > 0 && p->packed && row + TILE_ROWS <= p->n_rows; row += TILE_ROWS)
        product_tile(p, packed, panel, row, &ahead);
    for (; row + TILE_ROWS <= p->n_rows; row += TILE_ROWS)
        product_tile(p, whole, panel, row, &ahead);
    for (; TILE_ROWS > 3 && row + TILE_ROWS / 3 <= p->n_rows; row += TILE_ROWS / 3)
        product_tile(p, third, panel, row, NULL);
    for (; TILE_ROWS > 1 && row < p->n_rows; row++)
        product_tile(p, one, panel, row, NULL);
}

/*
 * Panels first_panel .. end_panel - 1. One row: STEP_PANELS at a time, with fetching or without; what is left of them,
 * and more rows: as a chunk. The conditions of the first two loops differ in a constant of the tile only, which must
 * not be asked for inside.
 */
VF_INLINE void product_of(const struct product *p, const uint32_t type)
{
    const struct tile near = { STEP_PANELS, 1, type, 0, 0 }, far = { STEP_PANELS, 1, type, 0, 1 };
    const int is_far = product_is_far(p, type);
    uint32_t panel = p->first_panel;

    for (; STEP_PANELS > 1 && p->n_rows == 1 && is_far && panel + STEP_PANELS <= p->end_panel; panel += STEP_PANELS)
        product_tile(p, far, panel, 0, NULL);
    for (; STEP_PANELS > 1 && p->n_rows == 1 && panel + STEP_PANELS <= p->end_panel; panel += STEP_PANELS)
        product_tile(p, near, panel, 0, NULL);
    for (; TILE_PANELS > 1 && panel + TILE_PANELS <= p->end_panel; panel += TILE_PANELS)
        product_panels(p, type, panel, TILE_PANELS);
    for (; panel < p->end_panel; panel++)
        product_panels(p, type, panel, 1);
}

#endif

#if VF_LANES == 16
/*
 * Tiles begin .. end - 1 of packed (tiles, width, PACK_ROWS): transposes 12 rows at a time. Reads whole tiles only, so
 * the caller has n_rows / PACK_ROWS of them; each thread writes its own tiles. Values are moved, not changed.
 */
static void KERNEL(pack)(const struct pack *p, size_t begin, size_t end)
{
    size_t tile;
    uint32_t k;
    int r;

    for (tile = begin; tile < end; tile++) {
        const float *x = p->x + tile * PACK_ROWS * p->x_stride;
        float *packed = p->packed + tile * PACK_ROWS * p->width;
        for (k = 0; k < p->width; k++, packed += PACK_ROWS)
            PRODUCT_UNROLL for (r = 0; r < PACK_ROWS; r++)
                packed[r] = x[(size_t)r * p->x_stride + k];
    }
}
#endif

/* The two of the table: the type becomes a constant here. */
static void KERNEL(product_f32)(const struct product *p)
{
    product_of(p, TYPE_F32);
}

static void KERNEL(product_f16)(const struct product *p)
{
    product_of(p, TYPE_F16);
}
