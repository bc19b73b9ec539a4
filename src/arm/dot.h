/*
 * Products of integer matrices with SDOT, which adds four products of signed bytes to each 32-bit lane: product_q8,
 * product_q4 and codes_store of the table neondot. Included by kernels_neondot.c after product.h (PRODUCT_UNROLL) in
 * the place of pairs.h and kernel/integer.h, since codes are laid out otherwise.
 *
 * Codes come as bytes, code = 256 upper + lower, in fours of columns: four upper ones, then four lower ones. A sum is
 * 256 times the upper bytes' plus the lower bytes': exactly the sum of the other kernels. So no weight has to be
 * widened, and one vector of codes holds eight columns:
 *
 *     codes     | upper 0 .. 3 | lower 0 .. 3 | upper 4 .. 7 | lower 4 .. 7 |     SDOT takes one of the four for all lanes
 *     weights   | row 0: k .. k+3 | row 1: k .. k+3 | row 2 | row 3 |             four vectors are the 16 rows of a panel
 *
 * A lane is a row of the matrix, a vector four of them. A step takes two whole panels at once, two streams of memory.
 * A chunk takes a panel by halves: 6 rows of codes times 2 vectors, twice for upper and lower, are 24 sums, which
 * leaves a quarter of the registers for weights and codes.
 *
 * Bounds: bytes are within +-128 and a group has at most 64 columns, so a sum of bytes is within 2^20, and 256 times
 * it within 2^28.
 */

/* Panels of a step; rows of a tile of a chunk, and of the tile for what is left of it. */
enum { DOT_STEP = 2, DOT_ROWS = 6, DOT_FEW_ROWS = 2 };

/*
 * The form of a tile: n_panels panels, n_vectors vectors of each, n_rows rows of codes. A constant for each of its
 * uses, so that loops over it vanish. n_panels n_rows is at most DOT_ROWS; n_vectors is 2 or 4.
 */
struct dot_tile {
    int n_panels, n_vectors, n_rows;
    uint32_t type;
};

/*
 * Adds four products in each lane of sum: bytes of w times four bytes of codes, number lane of its four, which are the
 * same for every lane of w. Written out: clang before 16 has the intrinsic only where all of the program may use it.
 * Its operands are registers, so no "memory" and nothing volatile: compilers may move it as they like.
 */
#define DOT(sum, w, codes, lane) __asm__("sdot %0.4s, %1.16b, %2.4b[" #lane "]" : "+w"(sum) : "w"(w), "w"(codes))

/*
 * sums (vectors, upper and lower) += the weights of four columns times their codes, the first or the second four of
 * codes. The number of a lane is part of the instruction, hence the two branches, of which one is left: second is a
 * constant of the call.
 */
VF_INLINE void dot_add(vi sums[][2], const int8x16_t *w, int8x16_t codes, const int n_vectors, const int second)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < n_vectors; v++) {
        if (second) {
            DOT(sums[v][0], w[v], codes, 2);
            DOT(sums[v][1], w[v], codes, 3);
        } else {
            DOT(sums[v][0], w[v], codes, 0);
            DOT(sums[v][1], w[v], codes, 1);
        }
    }
}

/*
 * Pairs of columns, those of 16 rows before the next pair's, to fours: lane r has four columns of row r. at: the first
 * pair, of the first of these vectors; the second pair is 32 bytes on. A load has pairs of 8 rows, two vectors of
 * fours.
 */
VF_INLINE void dot_fours(int8x16_t *w, const unsigned char *at, const int n_vectors)
{
    int v;

    PRODUCT_UNROLL for (v = 0; v < n_vectors; v += 2) {
        const int16x8_t first = vreinterpretq_s16_u8(vld1q_u8(at + v * 8));
        const int16x8_t second = vreinterpretq_s16_u8(vld1q_u8(at + v * 8 + 32));
        w[v] = vreinterpretq_s8_s16(vzip1q_s16(first, second));
        w[v + 1] = vreinterpretq_s8_s16(vzip2q_s16(first, second));
    }
}

/*
 * Eight columns of weights as two fours w (2, vectors); columns of q8 may end after the first (n_fours 1), and the
 * file with them, so that the second is not read. q4 always has eight.
 */
VF_INLINE void dot_weights(int8x16_t w[2][4], const unsigned char *at, const uint32_t type, const int n_vectors,
                           const int n_fours)
{
    const int8x16_t levels = vld1q_s8(b2s6_q4_levels);
    int v;

    dot_fours(w[0], at, n_vectors);
    if (type == TYPE_Q4)
        PRODUCT_UNROLL for (v = 0; v < n_vectors; v++) { /* the first four in low halves, the second in high ones */
            /* halves are unsigned: a shift right must bring in zeros */
            const uint8x16_t halves = vreinterpretq_u8_s8(w[0][v]);
            w[0][v] = vqtbl1q_s8(levels, vandq_u8(halves, vdupq_n_u8(15)));
            w[1][v] = vqtbl1q_s8(levels, vshrq_n_u8(halves, 4));
        }
    else if (n_fours == 2)
        dot_fours(w[1], at + 64, n_vectors);
}

/*
 * The same columns of all panels and rows of a tile; sums (panels, rows, vectors, upper and lower). Weights are loaded
 * and unpacked once for all rows. Eight codes of a row are read also where four count: a row's width is a multiple of
 * 16 (b2s6_code_width), and the others are not used.
 */
VF_INLINE void dot_columns(vi sums[][4][2], const struct dot_tile t, const unsigned char *weights, size_t panel_bytes,
                           const int16_t *codes, size_t code_stride, const int n_fours)
{
    int8x16_t w[DOT_STEP][2][4];
    int i, r;

    PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++)
        dot_weights(w[i], weights + (size_t)i * panel_bytes, t.type, t.n_vectors, n_fours);
    PRODUCT_UNROLL for (r = 0; r < t.n_rows; r++) {
        /* codes of eight columns, 16 bytes */
        const int8x16_t c = vreinterpretq_s8_s16(vld1q_s16(codes + (size_t)r * code_stride));
        PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++) {
            dot_add(sums[i * t.n_rows + r], w[i][0], c, t.n_vectors, 0);
            if (n_fours == 2)
                dot_add(sums[i * t.n_rows + r], w[i][1], c, t.n_vectors, 1);
        }
    }
}

/*
 * total (panels, rows, 16) += scale * sum, for the groups whose scales begin at scales, those of the tile's first
 * vector. The sum is put together exactly, rounded to a float once, and goes into the chain: the operations of
 * kernel/integer.h.
 */
VF_INLINE void dot_group(float total[][16], vi sums[][4][2], const struct dot_tile t, const unsigned char *scales,
                         size_t panel_bytes)
{
    int i, r, v;

    PRODUCT_UNROLL for (i = 0; i < t.n_panels; i++) {
        PRODUCT_UNROLL for (v = 0; v < t.n_vectors; v++) {
            /* four scales, for the four rows of this vector */
            const vf scale = scales_load((const uint16_t *)(const void *)(scales + (size_t)i * panel_bytes) + v * 4);
            PRODUCT_UNROLL for (r = 0; r < t.n_rows; r++) {
                float *at = total[i * t.n_rows + r] + v * 4;
                vi *sum = sums[i * t.n_rows + r][v];
                vf_store(at, vf_fma(vf_from_int(vi_add(vi_shl(sum[0], 8), sum[1])), scale, vf_load(at)));
            }
        }
    }
}

/*
 * The outputs from number first on, as many as there are, of one row: y = total times the scale of its codes, plus
 * bias. y may end within these, or before them (the second half of a last panel): nothing is written there. The bias
 * is there for whole panels.
 */
VF_INLINE void dot_finish(const struct product *p, const float *total, uint32_t first, size_t row, const int n_vectors)
{
    const vf scale = vf_set1(p->scales[row * p->scale_stride]);
    float *y = p->y + row * p->y_stride + first, last[16];
    /* whether y has all of these outputs */
    const int whole = p->n_out >= first + (uint32_t)n_vectors * 4;
    int v;

    PRODUCT_UNROLL for (v = 0; v < n_vectors; v++)
        vf_store((whole ? y : last) + v * 4,
                 vf_fma(vf_load(total + v * 4), scale, p->bias ? vf_load(p->bias + first + v * 4) : vf_set1(0.0f)));
    if (!whole && first < p->n_out)
        memcpy(y, last, (p->n_out - first) * sizeof *y);
}

/*
 * A tile whose vectors begin at number vector of its panels: 0, or 2 for the second half, 8 bytes of scales and of
 * each pair of columns for every vector. Group after group, as INTEGER(tile) does it. Columns of q8 go by eights as
 * long as more than four are left, then the last four; after those the group, and the row, is at its end, so that
 * weights and codes need not go on.
 */
VF_INLINE void dot_tile(const struct product *p, const struct dot_tile t, uint32_t panel, const int vector, size_t row)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(t.type, p->k), stride = p->code_stride;
    const unsigned char *scales = (const unsigned char *)p->weight + panel * panel_bytes + vector * 8;
    const unsigned char *weights = scales + weights_scale_bytes(t.type, p->k);
    const int16_t *codes = p->codes + row * stride;
    const uint32_t group = weights_group(t.type), bytes = t.type == TYPE_Q4 ? 64 : 128; /* of eight columns */
    float total[DOT_ROWS][16]; /* in memory: the registers are for the sums */
    uint32_t first, k;
    int i, v;

    memset(total, 0, (size_t)(t.n_panels * t.n_rows) * sizeof total[0]);
    for (first = 0; first < p->k; first += group, scales += 32) {
        const uint32_t n = p->k - first < group ? p->k - first : group;
        vi sums[DOT_ROWS][4][2];

        PRODUCT_UNROLL for (i = 0; i < t.n_panels * t.n_rows; i++) {
            PRODUCT_UNROLL for (v = 0; v < t.n_vectors; v++)
                sums[i][v][0] = sums[i][v][1] = vi_set1(0);
        }
        for (k = 0; t.type == TYPE_Q4 ? k < n : k + 4 < n; k += 8, weights += bytes, codes += 8)
            dot_columns(sums, t, weights, panel_bytes, codes, stride, 2);
        /* one to four columns are left, filled up to four in the file */
        if (k < n)
            dot_columns(sums, t, weights, panel_bytes, codes, stride, 1);
        __asm__ volatile("" : : : "memory"); /* or compilers would keep the totals in registers all the same */
        dot_group(total, sums, t, scales, panel_bytes);
    }
    PRODUCT_UNROLL for (i = 0; i < t.n_panels * t.n_rows; i++)
        dot_finish(p, total[i], (panel + (uint32_t)(i / t.n_rows)) * 16 + (uint32_t)vector * 4, row + (size_t)(i % t.n_rows),
                   t.n_vectors);
}

/*
 * All rows of a panel: tiles of 6 rows by halves of the panel, then 2 rows and 1 row with all of it, which have
 * registers enough.
 */
VF_INLINE void dot_panel(const struct product *p, const uint32_t type, uint32_t panel)
{
    /* panels, vectors, rows: 24 sums; 16; 8 */
    const struct dot_tile half = { 1, 2, DOT_ROWS, type }, few = { 1, 4, DOT_FEW_ROWS, type }, one = { 1, 4, 1, type };
    size_t row = 0;

    /* both halves before the next rows: the codes of these are still near */
    for (; row + DOT_ROWS <= p->n_rows; row += DOT_ROWS) {
        dot_tile(p, half, panel, 0, row);
        dot_tile(p, half, panel, 2, row);
    }
    for (; row + DOT_FEW_ROWS <= p->n_rows; row += DOT_FEW_ROWS)
        dot_tile(p, few, panel, 0, row);
    for (; row < p->n_rows; row++)
        dot_tile(p, one, panel, 0, row);
}

/* Panels first_panel .. end_panel - 1: one row takes two panels at a time, what is left and more rows one. */
VF_INLINE void dot_product(const struct product *p, const uint32_t type)
{
    /* 2 panels of 4 vectors, 1 row: 16 sums */
    const struct dot_tile step = { DOT_STEP, 4, 1, type };
    uint32_t panel = p->first_panel;

    /* a step is bound by memory */
    if (p->n_rows == 1)
        for (; panel + DOT_STEP <= p->end_panel; panel += DOT_STEP)
            dot_tile(p, step, panel, 0, 0);
    for (; panel < p->end_panel; panel++)
        dot_panel(p, type, panel);
}

/* The two of the table: the type becomes a constant here. */
static void INTEGER(product_q8)(const struct product *p)
{
    dot_product(p, TYPE_Q8);
}

static void INTEGER(product_q4)(const struct product *p)
{
    dot_product(p, TYPE_Q4);
}

/*
 * 16 codes, q (4 vectors), to a row from number `at` on: of each four codes first the upper bytes, then the lower
 * ones. upper is the rounded shift, (code + 128) >> 8, and lower what that leaves, from -128 to 127: the code's own
 * low byte. Codes are at most 32512, so upper is at most 127, and the narrowing to 16 bits, which saturates, changes
 * none.
 */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    int v;

    (void)planes;
    PRODUCT_UNROLL for (v = 0; v < 4; v += 2) {
        const int16x8_t codes = vcombine_s16(vqmovn_s32(q[v]), vqmovn_s32(q[v + 1]));
        const int32x2_t upper = vreinterpret_s32_s8(vrshrn_n_s16(codes, 8)), lower = vreinterpret_s32_s8(vmovn_s16(codes));
        const int32x4_t fours = vcombine_s32(vzip1_s32(upper, lower), vzip2_s32(upper, lower));
        vst1q_s16(row + at + v * 4, vreinterpretq_s16_s32(fours));
    }
}
