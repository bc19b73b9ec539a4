/*
 * Activations to integers, for products with q8 and q4; one text for every instruction set, included after rows.h.
 * src/pass.c calls it before such a product, with items cut among threads. Before it codes_store(row, at, q, planes)
 * must be there, which stores the 16 codes q as number at, at + 1, ... of a row; with planes in the form of a variant
 * of the instruction set that wants their upper and lower bytes apart.
 *
 *     m = max |x|,  code(i) = nearest integer of x(i) (32512 / m),  scale = m / 32512,  so x(i) = scale code(i) nearly
 *
 * One scale a row (or a part of it), so a row's codes depend on no other row: a batch gives the bits of single steps.
 * 16 bits where others take 8: the error of a product is then nearly that of its weights alone. The largest value of a
 * row is found by its bits, which order like the values once the sign is off, so that infinities and NaNs are found
 * too: they are the largest. What follows is one division, one product and one rounding a value.
 *
 * Bounds: m is at least 2^-100 and at most FLT_MAX, so 32512 / m is within 2^-114 and 2^115, and m / 32512 at least
 * 2^-115: neither overflows nor is subnormal. |x| (32512 / m) is at most 32512 (1 + 2^-23), whose nearest integer is
 * 32512.
 */
enum { LARGEST_CODE = 127 * 256 }; /* so that code + 128, and with it the upper of two signed bytes, stays in range */

/*
 * The integer nearest to the rounded product x inverse, ties to even. The sign goes a way of its own: a compiler that
 * may contract fuses a product that goes straight into a sum, and the nearest integer begins with one, but not through
 * an absolute value. sign is 0 or -1: (n xor sign) - sign is n or -n.
 */
VF_INLINE vi nearest_code(vf x, vf inverse)
{
    const vf product = vf_mul(x, inverse);
    const vi sign = vi_shr_arith(vf_bits(product), 31);

    return vi_sub(vi_xor(vf_nearest_int(vf_abs(product)), sign), sign);
}

#if defined(B2S6_SMALL)

/*
 * As below, for one lane: codes beyond k are zeros as far as the portable product reads, eight columns of q4 at a
 * time, which is within the part's width.
 */
static float KERNEL(quantize_part)(int16_t *codes, const float *x, uint32_t k, const int planes)
{
    uint32_t i, bits, largest = 0;
    float inverse;

    (void)planes;
    for (i = 0; i < (k + 7) / 8 * 8; i++) /* as far as the portable product reads */
        codes[i] = 0;
    for (i = 0; i < k; i++) {
        bits = b2s6_bits_of(x[i]) & 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    if (largest >= 0x7f800000)
        return b2s6_float_of(0x7fc00000u);
    if (largest < 0x0d800000)
        return 0.0f;
    inverse = (float)LARGEST_CODE / b2s6_float_of(largest);
    for (i = 0; i < k; i++)
        codes[i] = (int16_t)nearest_code(x[i], inverse);
    return b2s6_float_of(largest) / (float)LARGEST_CODE;
}

#else

/*
 * largest (16 lanes) becomes the larger of itself and |x| of 16 values, as integers: bits of floats without sign are
 * never negative, so a signed comparison is right.
 */
VF_INLINE void largest_bits(vi *largest, const float *x)
{
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++) {
        const vi bits = vf_bits(vf_abs(vf_load(x + v * VF_LANES)));
        largest[v] = vi_select(vi_lt(largest[v], bits), bits, largest[v]);
    }
}

/* The codes of 16 values at x, as number at .. at + 15 of a row. */
VF_INLINE void codes_of(int16_t *codes, uint32_t at, const float *x, vf inverse, const int planes)
{
    vi q[PARTIAL_VECTORS];
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++)
        q[v] = nearest_code(vf_load(x + v * VF_LANES), inverse);
    codes_store(codes, at, q, planes);
}

/*
 * One part of k values at x; returns its scale. codes has b2s6_code_width(k) places, all of which are written: what a
 * product reads beyond k is zero. The last k % 16 values go through tail, so that nothing after them is read: it may
 * be the next part, or the end of memory. Zeros are written from the last block of 64 on, not from k: with planes a
 * code's two bytes are far apart within its block, so a block is filled as a whole.
 */
static float KERNEL(quantize_part)(int16_t *codes, const float *x, uint32_t k, const int planes)
{
    /* whole: values in groups of 16; from: where zeros begin (codes of up to 32 columns have no blocks of 64) */
    const uint32_t whole = k / 16 * 16, from = k > 32 ? k / 64 * 64 : 0;
    vi largest[PARTIAL_VECTORS];
    int32_t lanes[16], bits = 0;
    float tail[16], scale;
    uint32_t i;
    int v;

    /* first the zeros, then the codes over them */
    memset(codes + from, 0, (b2s6_code_width(k) - from) * sizeof *codes);
    for (v = 0; v < PARTIAL_VECTORS; v++)
        largest[v] = vi_set1(0);
    /* the largest |x|, by bits: whole groups, then the tail, whose zeros are the smallest of all */
    for (i = 0; i < whole; i += 16)
        largest_bits(largest, x + i);
    partial_tail(tail, x + whole, k - whole);
    largest_bits(largest, tail);
    for (v = 0; v < PARTIAL_VECTORS; v++)
        vi_store(lanes + v * VF_LANES, largest[v]);
    for (i = 0; i < 16; i++)
        bits = lanes[i] > bits ? lanes[i] : bits;
    if (bits >= 0x7f800000) {
        memset(codes, 0, b2s6_code_width(k) * sizeof *codes);
        /* a scale of NaN makes every output of this row NaN */
        return b2s6_float_of(0x7fc00000u);
    }
    if (bits < 0x0d800000) { /* 2^-100 */
        memset(codes, 0, b2s6_code_width(k) * sizeof *codes);
        return 0.0f;
    }
    scale = b2s6_float_of((uint32_t)bits);
    {
        /* scale is m here; one division for the row, products for the values */
        const vf inverse = vf_set1((float)LARGEST_CODE / scale);

        for (i = 0; i < whole; i += 16)
            codes_of(codes, i, x + i, inverse, planes);
        if (whole < k)
            codes_of(codes, whole, tail, inverse, planes);
    }
    return scale / (float)LARGEST_CODE;
}

#endif

/*
 * Items begin .. end - 1, each a part of a row: item i is part i % n_parts of row i / n_parts, and codes and scales
 * are in the order of items. A part's k values begin at k times its number, without padding between parts.
 */
VF_INLINE void quantize_items(const struct quantize *q, size_t begin, size_t end, const int planes)
{
    size_t item;

    for (item = begin; item < end; item++)
        q->scales[item] = KERNEL(quantize_part)(q->codes + item * b2s6_code_width(q->k),
                                        q->x + item / q->n_parts * q->x_stride + item % q->n_parts * q->k, q->k, planes);
}

/* The one of the table: codes in order. AMX has another (x86/amx.h). */
static void KERNEL(quantize)(const struct quantize *q, size_t begin, size_t end)
{
    quantize_items(q, begin, end, 0);
}
