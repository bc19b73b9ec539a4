/*
 * Products of integer matrices with AMX tiles: 16 rows of codes times a panel, a group of columns at once. Included by
 * kernels_avx512.c after the VNNI variant, whose products it falls back to: product_q8, product_q4 and quantize of the
 * table amx.
 *
 * Tiles multiply bytes, so codes come as two planes of signed bytes (stored_avx512.h), and the sum is 256 times the
 * upper bytes' plus the lower bytes': exactly the sum of the other kernels. Only for 16 rows or more; fewer go to the
 * VNNI kernels.
 *
 *     codes 16 rows x 64 bytes          weights 16 x (16 rows x 4 columns)         sums 16 x 16, 32 bits
 *     | row 0: k = 0 .. 63 |            | k = 0 .. 3:  row 0, row 1, ... |         | row 0 of codes: 16 outputs |
 *     | row 1              |     x      | k = 4 .. 7                     |    =    | row 1                      |
 *     | ...                |            | ...                            |         | ...                        |
 *
 * A row of the tile of weights has four columns of 16 rows of the matrix, and a sum adds four products of bytes at
 * once. Stored are pairs of columns (weights.h), so a group is brought to fours first; that serves all rows of the
 * chunk.
 *
 * Bounds: bytes are within +-128, a group has at most 64 columns, so a tile's sum is within 2^20, and 256 times it
 * within 2^28.
 */

/*
 * Rows of a tile; and the fewest columns: up to 32 a row of codes is no block of 64, so that planes have no place
 * (b2s6_code_width).
 */
enum { TILE_HEIGHT = 16, TILES_MIN_COLUMNS = 33 };

/*
 * A product or its quantize: whether codes are in planes. Both ask with the same n_rows and k (kernels.h), so what one
 * writes the other reads.
 */
VF_INLINE int uses_tiles(size_t n_rows, uint32_t k)
{
    return n_rows >= TILE_HEIGHT && k >= TILES_MIN_COLUMNS;
}

/*
 * As _tile_loadd and _tile_stored, whose stride is a long: on Windows that is too short to be an index beside an
 * address. Written for both syntaxes of the assembler, {AT&T|Intel}. "memory", since the compiler does not see what a
 * tile reads or writes; the number of a tile is part of the instruction, so it is a literal.
 */
#if defined(__GNUC__) && !defined(__clang__)
#  define TILE_LOAD(tile, at, stride) \
    __asm__ volatile("{tileloadd\t(%0,%1,1), %%tmm" #tile "|tileloadd\t%%tmm" #tile ", [%0+%1*1]}" \
                     : : "r"((const void *)(at)), "r"((int64_t)(stride)) : "memory")
#  define TILE_STORE(tile, at, stride) \
    __asm__ volatile("{tilestored\t%%tmm" #tile ", (%0,%1,1)|tilestored\t[%0+%1*1], %%tmm" #tile "}" \
                     : : "r"((void *)(at)), "r"((int64_t)(stride)) : "memory")
#else
#  define TILE_LOAD(tile, at, stride) _tile_loadd(tile, at, (size_t)(stride))
#  define TILE_STORE(tile, at, stride) _tile_stored(tile, at, (size_t)(stride))
#endif

/*
 * What _tile_loadconfig reads, 64 bytes laid down by the processor: how many rows and bytes a row each tile has.
 * Palette 1 is eight tiles of 1 KiB.
 */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/*
 * Tiles 0 to 3 are sums, upper and lower of two panels; 4 and 5 codes, upper and lower; 6 and 7 weights of two panels.
 * All eight are in use, and a loaded tile of codes serves both panels. group columns: 64 (q8) or 32 (q4), so that a
 * row of codes is that many bytes and weights have a quarter as many rows.
 */
VF_INLINE void configure_tiles(const uint32_t group)
{
    struct tile_config c;
    int i;

    memset(&c, 0, sizeof c);
    c.palette = 1;
    /* sums and codes have 16 rows; sums and weights 64 bytes a row, 16 numbers of 32 bits or 16 fours */
    for (i = 0; i < 8; i++) {
        c.rows[i] = (uint8_t)(i < 6 ? TILE_HEIGHT : (int)group / 4);
        c.row_bytes[i] = (uint16_t)(i == 4 || i == 5 ? group : 64);
    }
    _tile_loadconfig(&c);
}

/*
 * Pairs of columns, (2, 16 rows, 2), to fours, (16 rows, 4): one row of a tile of weights. A pair is 16 bits; row r's
 * are number r and 16 + r of the 32 in pairs, and become 2 r and 2 r + 1.
 */
VF_INLINE void store_fours(int8_t *fours, __m512i pairs)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3,
                         18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(fours, _mm512_permutexvar_epi16(order, pairs));
}

/*
 * n columns of a panel, and zeros to fill the group: (group / 4, 16 rows, 4). The last group of a row may be short,
 * but tiles have one size. weights: the group's first column; the file fills columns up to fours (q8) and eights (q4),
 * so whole lines of 64 bytes are there. Of q4 the low halves of a line are the first four columns and the high halves
 * the other four, each a byte by lookup of its level.
 */
VF_INLINE void unpack_group(int8_t *fours, const unsigned char *weights, const uint32_t type, uint32_t n)
{
    const __m512i levels =
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)b2s6_q4_levels)), low = _mm512_set1_epi8(15);
    uint32_t k;

    for (k = 0; k < n; k += type == TYPE_Q4 ? 8 : 4, weights += 64) {
        /* four columns of q8, eight of q4 */
        const __m512i line = _mm512_loadu_si512(weights);
        if (type == TYPE_Q4) {
            store_fours(fours + k * 16, _mm512_shuffle_epi8(levels, _mm512_and_si512(line, low)));
            store_fours(fours + k * 16 + 64, _mm512_shuffle_epi8(levels, _mm512_and_si512(_mm512_srli_epi16(line, 4), low)));
        } else {
            store_fours(fours + k * 16, line);
        }
    }
    /* codes beyond k are zero as well; zeros here keep bytes of the stack out of it */
    for (; k < weights_group(type); k += 4)
        _mm512_storeu_si512(fours + k * 16, _mm512_setzero_si512());
}

/*
 * sums (panels, 2, 16 rows of codes, 16 rows of the panel) of 16 rows of codes with unpacked groups of one or two
 * panels: upper, then lower. codes: the first row, code_stride to the next; first: column at which the group begins.
 * The planes of its block of 64 codes are 64 bytes each; a group of q4 is half of them.
 */
VF_INLINE void multiply_tiles(int32_t *sums, const int16_t *codes, size_t code_stride, uint32_t first, const int8_t *fours,
                              const int n_panels)
{
    /* of the block that column first is in; the lower bytes are 64 on */
    const unsigned char *upper = (const unsigned char *)(codes + first / 64 * 64) + first % 64;
    const ptrdiff_t stride = (ptrdiff_t)(code_stride * sizeof *codes);

    _tile_zero(0);
    _tile_zero(1);
    TILE_LOAD(4, upper, stride);
    TILE_LOAD(5, upper + 64, stride);
    TILE_LOAD(6, fours, 64);
    /* signed times signed bytes, both planes with the same weights */
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 5, 6);
    TILE_STORE(0, sums, 64);
    TILE_STORE(1, sums + 256, 64);
    /* tiles 4 and 5 still hold the codes */
    if (n_panels == 2) {
        _tile_zero(2);
        _tile_zero(3);
        TILE_LOAD(7, fours + Q8_GROUP * 16, 64);
        _tile_dpbssd(2, 4, 7);
        _tile_dpbssd(3, 5, 7);
        TILE_STORE(2, sums + 512, 64);
        TILE_STORE(3, sums + 768, 64);
    }
}

/*
 * y, which holds the total of the groups before, takes one more group of a panel; after the last one it becomes the
 * result. For rows row + skip .. row + 15: those before have had this group, and must not have it twice. y is the only
 * place for totals, as there may be any number of rows. All 16 outputs of the panel are there.
 */
VF_INLINE void add_tile(const struct product *p, const int32_t *sums, vf scales, uint32_t panel, size_t row, size_t skip,
                        int is_first, int is_last)
{
    /* r counts rows of the tile */
    float *y = p->y + (row + skip) * p->y_stride + panel * 16;
    size_t r;

    for (r = skip; r < TILE_HEIGHT; r++, y += p->y_stride) {
        /* 256 upper + lower, exactly */
        const vi sum = vi_add(vi_shl(vi_load(sums + r * 16), 8), vi_load(sums + 256 + r * 16));
        vf total = vf_fma(vf_from_int(sum), scales, is_first ? vf_set1(0.0f) : vf_load(y));
        if (is_last)
            total = vf_fma(total, vf_set1(p->scales[(row + r) * p->scale_stride]),
                           p->bias ? vf_load(p->bias + panel * 16) : vf_set1(0.0f));
        vf_store(y, total);
    }
}

/*
 * All rows of one or two whole panels, n_rows >= 16. Groups go up, as the chain of the others does; the last 16 rows
 * are done together, some of them for a second time, so that no tile is short. Groups are the outer loop, so that each
 * is unpacked once, and what is unpacked (2 KiB at most) stays in the first cache.
 */
VF_INLINE void tile_panels(const struct product *p, const uint32_t type, uint32_t panel, const int n_panels)
{
    const size_t panel_bytes = (size_t)weights_panel_bytes(type, p->k);
    const unsigned char *scales = (const unsigned char *)p->weight + panel * panel_bytes;
    const unsigned char *weights = scales + weights_scale_bytes(type, p->k);
    const uint32_t group = weights_group(type);
    /* the group of each panel, unpacked; and what multiply_tiles gives: 4 KiB, overwritten by every tile */
    int8_t fours[2 * Q8_GROUP * 16];
    int32_t sums[4 * 256];
    uint32_t first;
    size_t done;
    int i;

    for (first = 0; first < p->k; first += group, scales += 32, weights += type == TYPE_Q4 ? group * 8 : group * 16) {
        const uint32_t n = p->k - first < group ? p->k - first : group;

        for (i = 0; i < n_panels; i++)
            unpack_group(fours + i * Q8_GROUP * 16, weights + (size_t)i * panel_bytes, type, n);
        for (done = 0; done < p->n_rows; done += TILE_HEIGHT) {
            /* 16 whole rows, at the end some that were done before */
            const size_t row = done + TILE_HEIGHT <= p->n_rows ? done : p->n_rows - TILE_HEIGHT;

            multiply_tiles(sums, p->codes + row * p->code_stride, p->code_stride, first, fours, n_panels);
            for (i = 0; i < n_panels; i++)
                add_tile(p, sums + 512 * i, scales_load((const uint16_t *)(const void *)(scales + (size_t)i * panel_bytes)),
                         panel + (uint32_t)i, row, done - row, first == 0, first + group >= p->k);
        }
    }
}

/*
 * The last panel of rows that end within it has nowhere to keep its totals but here: in lines, for 16 rows at a time,
 * of which only what y has is copied. The overlapping rows at the end are computed anew from the beginning, and give
 * the same again.
 */
VF_INLINE void tile_last_panel(const struct product *p, const uint32_t type, uint32_t panel)
{
    /* bias: 16 zeros if there is none, so that tile_panels need not ask for this panel's */
    float lines[TILE_HEIGHT * 16], bias[16] = { 0.0f };
    struct product one = *p;
    size_t done, r;

    /* a product of 16 rows and one panel, which is number 0 of it */
    one.weight = (const unsigned char *)p->weight + panel * (size_t)weights_panel_bytes(type, p->k);
    if (p->bias)
        memcpy(bias, p->bias + panel * 16, sizeof bias);
    one.bias = bias;
    one.y = lines;
    one.y_stride = 16;
    one.n_rows = TILE_HEIGHT;
    for (done = 0; done < p->n_rows; done += TILE_HEIGHT) {
        const size_t row = done + TILE_HEIGHT <= p->n_rows ? done : p->n_rows - TILE_HEIGHT;

        /* row 0 of the small product is row `row` of all; all its groups are computed */
        one.codes = p->codes + row * p->code_stride;
        one.scales = p->scales + row * p->scale_stride;
        tile_panels(&one, type, 0, 1);
        for (r = done - row; r < TILE_HEIGHT; r++)
            memcpy(p->y + (row + r) * p->y_stride + panel * 16, lines + r * 16, (p->n_out - panel * 16) * sizeof *lines);
    }
}

/*
 * Panels first_panel .. end_panel - 1 by tiles: pairs of whole panels, a single one, the one that y has only a part
 * of. The tiles are configured here and released at the end, as other code of the thread may use them, and a thread
 * with live tiles has 8 KiB more to save at every switch.
 */
VF_INLINE void tile_product(const struct product *p, const uint32_t type)
{
    /* panels that y has room for in full */
    const uint32_t whole = p->n_out / 16 < p->end_panel ? p->n_out / 16 : p->end_panel;
    uint32_t panel = p->first_panel;

    configure_tiles(weights_group(type));
    /* two panels share a load of codes */
    for (; panel + 2 <= whole; panel += 2)
        tile_panels(p, type, panel, 2);
    for (; panel < whole; panel++)
        tile_panels(p, type, panel, 1);
    for (; panel < p->end_panel; panel++)
        tile_last_panel(p, type, panel);
    _tile_release();
}

/* The three of the table. Few rows or columns go the way of AVX-512 VNNI, whose layout of codes quantize then writes. */
static void INTEGER(product_q8)(const struct product *p)
{
    if (uses_tiles(p->n_rows, p->k))
        tile_product(p, TYPE_Q8);
    else
        product_q8_avx512vnni(p);
}

static void INTEGER(product_q4)(const struct product *p)
{
    if (uses_tiles(p->n_rows, p->k))
        tile_product(p, TYPE_Q4);
    else
        product_q4_avx512vnni(p);
}

static void INTEGER(quantize)(const struct quantize *q, size_t begin, size_t end)
{
    quantize_items(q, begin, end, uses_tiles(q->n_rows, q->k));
}
