/*
 * Everything that works row by row or value by value: norms, the step delta, activations, gates, the convolution. One
 * text for every instruction set; include after a vec_*.h and elementary.h. quantize.h uses partial_tail and
 * PARTIAL_VECTORS. Nothing here allocates or can fail; infinities and NaNs go through.
 *
 * A sum over features has 16 partial sums, value i going to partial i mod 16 in ascending order, and then one fixed
 * tree:
 *
 *     partial  0 1 2 ... 15  ->  0+8 1+9 ... 7+15  ->  ... 4 ...  ->  ... 2 ...  ->  1
 *
 * 16 is the width of the widest vector, so any narrower one holds the same partials in several. The same sum value
 * after value would be a chain that no vector speeds up, and one for each width would be bits for each width.
 *
 * Rows are padded to whole groups of 16, and spans are whole groups. Functions of a value read and write whole
 * vectors, padding included: what is there is anything, and stays in its lane. Sums are over the d values alone.
 */

#if defined(B2S6_SMALL)

/*
 * The sum of d values x_i, or of d products x_i y_i, fused, unless y is NULL: one loop for both in a small build. The
 * zeros beyond d are left out: +0 added to anything but -0 changes nothing, and a partial sum is -0 only after a
 * product that underflowed. The sign of a total of 0 shows nowhere: a total is a mean, a mean square, or goes into
 * softplus. x and y are read up to d, not to the end of their group.
 */
static float KERNEL(row_total)(const float *x, const float *y, size_t d)
{
    float lane[16];
    size_t i, half;

    /* a partial that no value reaches stays +0 */
    for (i = 0; i < 16; i++)
        lane[i] = 0.0f;
    /* in ascending order, so each partial adds its values in the order of the vectors */
    for (i = 0; i < d; i++)
        lane[i % 16] = y ? b2s6_fma(x[i], y[i], lane[i % 16]) : lane[i % 16] + x[i];
    for (half = 8; half; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/* The sum of d values. */
static float KERNEL(row_sum)(const float *x, size_t d)
{
    return KERNEL(row_total)(x, NULL, d);
}

/* The sum of d products. */
static float KERNEL(row_dot)(const float *x, const float *y, size_t d)
{
    return KERNEL(row_total)(x, y, d);
}

#else

/* 16 partial sums, whatever the width of a vector: lane i % VF_LANES of vector i / VF_LANES is partial i. */
struct partials {
    vf lane[16 / VF_LANES];
};

/* Vectors that 16 partials are. */
enum { PARTIAL_VECTORS = 16 / VF_LANES };

/* All partials +0. */
VF_INLINE void partials_clear(struct partials *s)
{
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++)
        s->lane[v] = vf_set1(0.0f);
}

/*
 * The tree over the 16 partials: halves added lane by lane, 8, 4, 2, 1. Scalar, as it is 15 additions a row, and so
 * the same text for every width.
 */
VF_INLINE float partials_total(const struct partials *s)
{
    float lane[16];
    int v, i, half;

    for (v = 0; v < PARTIAL_VECTORS; v++)
        vf_store(lane + v * VF_LANES, s->lane[v]);
    for (half = 8; half; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/*
 * The last n < 16 values of a row, followed by zeros: what is after them, the next block's values or padding, must not
 * count. Copied, as masks of a part of a vector would be one more thing that every layer has to have.
 */
VF_INLINE void partial_tail(float *tail, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < 16; i++)
        tail[i] = i < n ? x[i] : 0.0f;
}

/* The sum of d values: row_total of small builds, with the same bits. */
static float KERNEL(row_sum)(const float *x, size_t d)
{
    struct partials s;
    float tail[16];
    size_t i;
    int v;

    /* whole groups of 16 first, then the rest filled up with zeros */
    partials_clear(&s);
    for (i = 0; i + 16 <= d; i += 16)
        for (v = 0; v < PARTIAL_VECTORS; v++)
            s.lane[v] = vf_add(s.lane[v], vf_load(x + i + v * VF_LANES));
    if (i < d) {
        partial_tail(tail, x + i, d - i);
        for (v = 0; v < PARTIAL_VECTORS; v++)
            s.lane[v] = vf_add(s.lane[v], vf_load(tail + v * VF_LANES));
    }
    return partials_total(&s);
}

/*
 * The same for fewer than 16 values, as blocks have: what is missing is +0 and adds nothing, so the tree stops short
 * of it. A product is rounded before +0 takes the sign from -0, or the compiler fuses the two: that differs in nothing
 * but the sign of what underflows to 0. It shows nowhere, since the sum is a mean square, or goes into softplus. Of a
 * block of p = 4 it is 4 products and 3 sums where all 16 partials would be filled and emptied: an eighth of a step of
 * the digits model.
 */
VF_INLINE float short_dot(const float *x, const float *y, size_t d)
{
    float lane[16];
    size_t i, half;

    for (i = 0; i < d; i++)
        lane[i] = x[i] * y[i] + 0.0f;
    /* the tree, shorter by what is missing: lane i + half exists only below d */
    for (half = 8; half; half /= 2)
        for (i = 0; i < half && i + half < d; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/* The sum of d products, each fused with the partial that it is added to. */
static float KERNEL(row_dot)(const float *x, const float *y, size_t d)
{
    struct partials s;
    float x_tail[16], y_tail[16];
    size_t i;
    int v;

    /* a block has p channels, often fewer than 16 */
    if (d < 16)
        return short_dot(x, y, d);
    partials_clear(&s);
    for (i = 0; i + 16 <= d; i += 16)
        for (v = 0; v < PARTIAL_VECTORS; v++)
            s.lane[v] = vf_fma(vf_load(x + i + v * VF_LANES), vf_load(y + i + v * VF_LANES), s.lane[v]);
    if (i < d) {
        partial_tail(x_tail, x + i, d - i);
        partial_tail(y_tail, y + i, d - i);
        for (v = 0; v < PARTIAL_VECTORS; v++)
            s.lane[v] = vf_fma(vf_load(x_tail + v * VF_LANES), vf_load(y_tail + v * VF_LANES), s.lane[v]);
    }
    return partials_total(&s);
}

#endif

/* out_i = x_i - mean; out may be x. In whole vectors: the padding of out gets something, which norm clears. */
static void KERNEL(row_centre)(const float *x, float *out, float mean, size_t d)
{
    size_t i;

    for (i = 0; i < d; i += VF_LANES)
        vf_store(out + i, vf_sub(vf_load(x + i), vf_set1(mean)));
}

/*
 * out_i = (x_i / sqrt(mean square + eps)) weight_i [+ bias_i]: what RMSNorm does, and LayerNorm to a centred row. One
 * division and one root a row, both correctly rounded everywhere, which the approximate reciprocal roots of processors
 * are not. Every lane of scale is the same number. out may be x: the mean square is complete before the first value is
 * written.
 */
static void KERNEL(row_scale)(const struct norm *n, const float *x, float *out)
{
    /* d is at most 2^16, so a float has it exactly */
    const float square = KERNEL(row_dot)(x, x, n->d) / (float)n->d;
    const vf scale = vf_div(vf_set1(1.0f), vf_sqrt(vf_add(vf_set1(square), vf_set1(n->eps))));
    size_t i;

    for (i = 0; i < n->d; i += VF_LANES) {
        /* padding of weight and bias is 0, that of x anything: norm clears what comes of it */
        const vf t = vf_mul(vf_load(x + i), scale);
        const vf w = vf_load(n->weight + i);
        vf_store(out + i, n->bias ? vf_fma(t, w, vf_load(n->bias + i)) : vf_mul(t, w));
    }
}

/*
 * The norm of the table: n_rows rows, stride floats apart in x and out, which may be the same. LayerNorm takes two
 * passes, mean first: the mean of squares less the square of the mean would cancel. Batch norm is folded by the
 * converter to a weight and a bias a feature. Without a norm rows are copied. Kinds that the build leaves out are
 * refused when a model is opened, so their cases are never reached; the condition lets the compiler drop their code.
 */
static void KERNEL(norm)(const struct norm *n, const float *x, float *out, size_t n_rows, size_t stride)
{
    size_t row, i;

    for (row = 0; row < n_rows; row++, x += stride, out += stride) {
        switch (n->kind) {
        case B2S6_NORM_LAYER:
            if (!B2S6_HAS_NORM_LAYER)
                break;
            /* out holds x - mean between the passes */
            KERNEL(row_centre)(x, out, KERNEL(row_sum)(x, n->d) / (float)n->d, n->d);
            KERNEL(row_scale)(n, out, out);
            break;
        case B2S6_NORM_RMS:
            if (!B2S6_HAS_NORM_RMS)
                break;
            KERNEL(row_scale)(n, x, out);
            break;
        case B2S6_NORM_BATCH:
            /* mean and variance are constants of training: no sum over the row */
            for (i = 0; i < n->d; i += VF_LANES)
                vf_store(out + i, vf_fma(vf_load(x + i), vf_load(n->weight + i), vf_load(n->bias + i)));
            break;
        default: /* no norm */
            if (out != x)
                memcpy(out, x, n->d * sizeof *x);
            break;
        }
        for (i = n->d; i % 16; i++) /* read with the rest of its group: the caller's memory must not show through */
            out[i] = 0.0f;
    }
}

/*
 * RMS norm of every run of n->d values in place, n_groups runs a row. A run need not be whole groups of lanes, so
 * nothing is read or written beyond it, where the next run begins; what is left of it goes value by value, by the same
 * operations in the same order.
 */
#if B2S6_HAS_MAMBA2
static void KERNEL(norm_groups)(const struct norm *n, float *x, size_t n_rows, size_t stride, uint32_t n_groups)
{
    const size_t d = n->d;
    size_t row, group, i;

    for (row = 0; row < n_rows; row++, x += stride)
        for (group = 0; group < n_groups; group++) {
            const float *weight = n->weight + group * d;
            float *run = x + group * d, one[VF_LANES];
            const float square = KERNEL(row_dot)(run, run, d) / (float)d;
            const vf scale = vf_div(vf_set1(1.0f), vf_sqrt(vf_add(vf_set1(square), vf_set1(n->eps))));

            for (i = 0; i + VF_LANES <= d; i += VF_LANES)
                vf_store(run + i, vf_mul(vf_mul(vf_load(run + i), scale), vf_load(weight + i)));
            vf_store(one, scale);
            for (; i < d; i++) {
                const float t = run[i] * one[0];

                run[i] = t * weight[i];
            }
        }
}
#endif

/*
 * x = softplus(x), in place, of the columns of s in every row: the last step to delta, of blocks and of low rank.
 * Whole vectors, so x of the padding must be there, whatever it is.
 */
static void KERNEL(softplus)(float *x, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_softplus(vf_load(x + i)));
}

/*
 * delta = softplus(w_j . u_j + bias) (kernels.h), B2S6's step: one dot product a block and row, an own bias a channel.
 * Blocks may be cut by the span, as s.begin and s.end are multiples of 16 and p is any: the dot product of such a
 * block is computed on both sides, in the same order. Columns from d on get 0 and then softplus(0), so that no memory
 * the caller never set is read.
 */
static void KERNEL(delta_block)(const struct delta_block *b, struct span s)
{
    /* d: the end of what is to be done, channels only */
    const size_t p = b->p, d = s.end < b->d ? s.end : b->d;
    size_t row, i, j;

    for (row = 0; row < s.n_rows; row++) {
        const float *x = b->x + row * s.stride;
        float *delta = b->delta + row * s.stride;

        for (j = s.begin / p; j * p < d; j++) {
            /* the same for all channels of the block */
            const float dot = KERNEL(row_dot)(b->w + j * p, x + j * p, p);
            /* the channels of block j that are in the span */
            for (i = j * p < s.begin ? s.begin : j * p; i < d && i < (j + 1) * p; i++)
                delta[i] = dot + b->bias[i];
        }
        /* the padding of the last group, if this span has it */
        for (i = d; i < s.end; i++)
            delta[i] = 0.0f;
    }
    /* in vectors, over the whole span at once */
    KERNEL(softplus)(b->delta, s);
}

/* x = GELU(x), in place, of the columns of s: after the unit of an s4 block. */
static void KERNEL(gelu)(float *x, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_gelu(vf_load(x + i)));
}

/* x += other, rows alike: the residual, and both directions of a bidirectional block. */
static void KERNEL(add)(float *x, const float *other, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride, other += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_add(vf_load(x + i), vf_load(other + i)));
}

/*
 * y *= SiLU(z): the gate of a mamba block; rows of z, which in_proj made beside v, have a stride of their own. The
 * unit's section calls it for its own channels, while y is still in the cache.
 */
static void KERNEL(gate_silu)(float *y, const float *z, size_t z_stride, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, y += s.stride, z += z_stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(y + i, vf_mul(vf_load(y + i), vf_silu(vf_load(z + i))));
}

/*
 * x += a sigmoid(g): the gated projection of an s4 block, with the residual. a and g are halves of one row, ag_stride
 * to the next. One fused operation, as a product that feeds a sum must be.
 */
static void KERNEL(add_gated)(float *x, const float *a, const float *g, size_t ag_stride, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride, a += ag_stride, g += ag_stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_fma(vf_load(a + i), vf_sigmoid(vf_load(g + i)), vf_load(x + i)));
}

/*
 * Features as the model reads them: values in (-2^-100, 2^-100) become +0, -0 too, so that no product of theirs is
 * subnormal and slow; NaNs compare as false and stay. n values, no padding: x is the caller's memory.
 */
static void KERNEL(flush)(float *out, const float *x, size_t n)
{
    size_t i;

    /* both comparisons are false for a NaN */
    for (i = 0; i < n; i++)
        out[i] = x[i] < 0x1p-100f && x[i] > -0x1p-100f ? 0.0f : x[i];
}

/*
 * Row t of the stream, counted from the first of these steps, t >= -(d_conv - 1): before it the window has them,
 * oldest first, zeros before the beginning of the stream.
 */
VF_INLINE const float *conv_row(const struct conv *c, ptrdiff_t t)
{
    /* row 0 of the window is t = -(d_conv - 1) */
    if (t < 0)
        return c->window + (size_t)(t + (ptrdiff_t)c->d_conv - 1) * c->width;
    return c->v + (size_t)t * c->v_stride;
}

/*
 * u_t = silu(bias + sum over k of weight_k v(t - d_conv + 1 + k)), k ascending, that is oldest first, for the groups
 * of channels of c; then the window holds the last d_conv - 1 rows. Channels share nothing, so threads may divide the
 * groups: each moves its own columns of the window. d_conv may be 1: no window, nothing is moved. A stream that is cut
 * into chunks anyhow sees the same rows, so the same bits.
 */
static void KERNEL(conv_silu)(const struct conv *c)
{
    const size_t begin = (size_t)c->first_group * 16, end = (size_t)c->end_group * 16;
    /* signed, as rows before the first step have negative numbers */
    const ptrdiff_t taps = (ptrdiff_t)c->d_conv, steps = (ptrdiff_t)c->n_steps;
    ptrdiff_t t, k;
    size_t i;

    for (t = 0; t < steps; t++)
        for (i = begin; i < end; i += VF_LANES) {
            /* one chain a channel, from the bias on; the tap k is t - (d_conv - 1) + k in time */
            vf acc = vf_load(c->bias + i);
            /* weight (taps, width): tap 0 is the oldest, and the last one the step itself */
            for (k = 0; k < taps; k++)
                acc = vf_fma(vf_load(c->weight + (size_t)k * c->width + i), vf_load(conv_row(c, t - taps + 1 + k) + i), acc);
            vf_store(c->u + (size_t)t * c->width + i, vf_silu(acc));
        }
    /* the last rows, of the window or of v; ascending, so that a row moves before it is overwritten when the steps are
     * fewer than the taps */
    for (k = 0; k < taps - 1; k++)
        memmove(c->window + (size_t)k * c->width + begin, conv_row(c, steps - taps + 1 + k) + begin,
                (end - begin) * sizeof(float));
}
