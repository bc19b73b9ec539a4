/*
 * Activations to integers, one text for every instruction set; include after rows.h. Before it
 * codes_store(row, at, q, planes) must be there, which stores the 16 codes q as number at, at + 1, ... of a row; with
 * planes in the form of a variant of the instruction set that wants their upper and lower bytes apart.
 *
 * The largest value of a row is found by its bits, so that infinities and NaNs are found too. What follows is one division,
 * one product and one rounding a value.
 */
enum { LARGEST_CODE = 127 * 256 }; /* so that code + 128, and with it the upper of two signed bytes, stays in range */

/*
 * The integer nearest to the rounded product. The sign goes a way of its own: a compiler that may contract fuses a product
 * that goes straight into a sum, and the nearest integer begins with one, but not through an absolute value.
 */
VF_INLINE vi nearest_code(vf x, vf inverse)
{
    const vf product = vf_mul(x, inverse);
    const vi sign = vi_shr_arith(vf_bits(product), 31);

    return vi_sub(vi_xor(vf_nearest_int(vf_abs(product)), sign), sign);
}

#if defined(B2S6_SMALL)

/* As below, for one lane. */
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

VF_INLINE void largest_bits(vi *largest, const float *x)
{
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++) {
        const vi bits = vf_bits(vf_abs(vf_load(x + v * VF_LANES)));
        largest[v] = vi_select(vi_lt(largest[v], bits), bits, largest[v]);
    }
}

VF_INLINE void codes_of(int16_t *codes, uint32_t at, const float *x, vf inverse, const int planes)
{
    vi q[PARTIAL_VECTORS];
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++)
        q[v] = nearest_code(vf_load(x + v * VF_LANES), inverse);
    codes_store(codes, at, q, planes);
}

/* One part of k values; returns its scale. */
static float KERNEL(quantize_part)(int16_t *codes, const float *x, uint32_t k, const int planes)
{
    const uint32_t whole = k / 16 * 16, from = k > 32 ? k / 64 * 64 : 0;
    vi largest[PARTIAL_VECTORS];
    int32_t lanes[16], bits = 0;
    float tail[16], scale;
    uint32_t i;
    int v;

    memset(codes + from, 0, (b2s6_code_width(k) - from) * sizeof *codes);
    for (v = 0; v < PARTIAL_VECTORS; v++)
        largest[v] = vi_set1(0);
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
        return b2s6_float_of(0x7fc00000u);
    }
    if (bits < 0x0d800000) { /* 2^-100 */
        memset(codes, 0, b2s6_code_width(k) * sizeof *codes);
        return 0.0f;
    }
    scale = b2s6_float_of((uint32_t)bits);
    {
        const vf inverse = vf_set1((float)LARGEST_CODE / scale);

        for (i = 0; i < whole; i += 16)
            codes_of(codes, i, x + i, inverse, planes);
        if (whole < k)
            codes_of(codes, whole, tail, inverse, planes);
    }
    return scale / (float)LARGEST_CODE;
}

#endif

VF_INLINE void quantize_items(const struct quantize *q, size_t begin, size_t end, const int planes)
{
    size_t item;

    for (item = begin; item < end; item++)
        q->scales[item] = KERNEL(quantize_part)(q->codes + item * b2s6_code_width(q->k),
                                        q->x + item / q->n_parts * q->x_stride + item % q->n_parts * q->k, q->k, planes);
}

static void KERNEL(quantize)(const struct quantize *q, size_t begin, size_t end)
{
    quantize_items(q, begin, end, 0);
}
