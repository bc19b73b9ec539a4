/*
 * Everything that works row by row or value by value: norms, the step delta, activations, gates, the convolution. One text
 * for every instruction set; include after a vec_*.h and elementary.h.
 *
 * A sum over features has 16 partial sums, value i going to partial i mod 16 in ascending order, and then one fixed tree.
 */

#if defined(B2S6_SMALL)

/*
 * x_i, or x_i y_i fused unless y is NULL. The zeros beyond d are left out: +0 added to anything but -0 changes nothing, and
 * a partial sum is -0 only after a product that underflowed. The sign of a total of 0 shows nowhere: a total is a mean, a mean
 * square, or goes into softplus.
 */
static float KERNEL(row_total)(const float *x, const float *y, size_t d)
{
    float lane[16];
    size_t i, half;

    for (i = 0; i < 16; i++)
        lane[i] = 0.0f;
    for (i = 0; i < d; i++)
        lane[i % 16] = y ? b2s6_fma(x[i], y[i], lane[i % 16]) : lane[i % 16] + x[i];
    for (half = 8; half; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

static float KERNEL(row_sum)(const float *x, size_t d)
{
    return KERNEL(row_total)(x, NULL, d);
}

static float KERNEL(row_dot)(const float *x, const float *y, size_t d)
{
    return KERNEL(row_total)(x, y, d);
}

#else

/* 16 partial sums, whatever the width of a vector. */
struct partials {
    vf lane[16 / VF_LANES];
};

enum { PARTIAL_VECTORS = 16 / VF_LANES };

VF_INLINE void partials_clear(struct partials *s)
{
    int v;

    for (v = 0; v < PARTIAL_VECTORS; v++)
        s->lane[v] = vf_set1(0.0f);
}

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

/* The last n < 16 values of a row, followed by zeros: what lies beyond them must not count. */
VF_INLINE void partial_tail(float *tail, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < 16; i++)
        tail[i] = i < n ? x[i] : 0.0f;
}

/* x_i */
static float KERNEL(row_sum)(const float *x, size_t d)
{
    struct partials s;
    float tail[16];
    size_t i;
    int v;

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
 * The same for fewer than 16 values, as blocks have: what is missing is +0 and adds nothing, so the tree stops short of it. A
 * product is rounded before +0 takes the sign from -0, or the compiler fuses the two: that differs in nothing but the sign
 * of what underflows to 0. It shows nowhere, since the sum is a mean square, or goes into softplus.
 */
VF_INLINE float short_dot(const float *x, const float *y, size_t d)
{
    float lane[16];
    size_t i, half;

    for (i = 0; i < d; i++)
        lane[i] = x[i] * y[i] + 0.0f;
    for (half = 8; half; half /= 2)
        for (i = 0; i < half && i + half < d; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/* x_i y_i, fused */
static float KERNEL(row_dot)(const float *x, const float *y, size_t d)
{
    struct partials s;
    float x_tail[16], y_tail[16];
    size_t i;
    int v;

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

/* out_i = x_i - mean */
static void KERNEL(row_centre)(const float *x, float *out, float mean, size_t d)
{
    size_t i;

    for (i = 0; i < d; i += VF_LANES)
        vf_store(out + i, vf_sub(vf_load(x + i), vf_set1(mean)));
}

/* out_i = (x_i / sqrt(mean square + eps)) weight_i [+ bias_i]: what RMSNorm does, and LayerNorm to a centred row */
static void KERNEL(row_scale)(const struct norm *n, const float *x, float *out)
{
    const float square = KERNEL(row_dot)(x, x, n->d) / (float)n->d;
    const vf scale = vf_div(vf_set1(1.0f), vf_sqrt(vf_add(vf_set1(square), vf_set1(n->eps))));
    size_t i;

    for (i = 0; i < n->d; i += VF_LANES) {
        const vf t = vf_mul(vf_load(x + i), scale);
        const vf w = vf_load(n->weight + i);
        vf_store(out + i, n->bias ? vf_fma(t, w, vf_load(n->bias + i)) : vf_mul(t, w));
    }
}

static void KERNEL(norm)(const struct norm *n, const float *x, float *out, size_t n_rows, size_t stride)
{
    size_t row, i;

    for (row = 0; row < n_rows; row++, x += stride, out += stride) {
        switch (n->kind) {
        case B2S6_NORM_LAYER:
            if (!B2S6_HAS_NORM_LAYER)
                break;
            KERNEL(row_centre)(x, out, KERNEL(row_sum)(x, n->d) / (float)n->d, n->d);
            KERNEL(row_scale)(n, out, out);
            break;
        case B2S6_NORM_RMS:
            if (!B2S6_HAS_NORM_RMS)
                break;
            KERNEL(row_scale)(n, x, out);
            break;
        case B2S6_NORM_BATCH:
            for (i = 0; i < n->d; i += VF_LANES)
                vf_store(out + i, vf_fma(vf_load(x + i), vf_load(n->weight + i), vf_load(n->bias + i)));
            break;
        default:
            if (out != x)
                memcpy(out, x, n->d * sizeof *x);
            break;
        }
        for (i = n->d; i % 16; i++) /* read with the rest of its group: the caller's memory must not show through */
            out[i] = 0.0f;
    }
}

/* Runs need not be whole groups of lanes: nothing is read or written beyond one, since the next may be another thread's. */
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

static void KERNEL(softplus)(float *x, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_softplus(vf_load(x + i)));
}

static void KERNEL(delta_block)(const struct delta_block *b, struct span s)
{
    const size_t p = b->p, d = s.end < b->d ? s.end : b->d;
    size_t row, i, j;

    for (row = 0; row < s.n_rows; row++) {
        const float *x = b->x + row * s.stride;
        float *delta = b->delta + row * s.stride;

        for (j = s.begin / p; j * p < d; j++) {
            const float dot = KERNEL(row_dot)(b->w + j * p, x + j * p, p);
            for (i = j * p < s.begin ? s.begin : j * p; i < d && i < (j + 1) * p; i++)
                delta[i] = dot + b->bias[i];
        }
        for (i = d; i < s.end; i++)
            delta[i] = 0.0f;
    }
    KERNEL(softplus)(b->delta, s);
}

static void KERNEL(gelu)(float *x, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_gelu(vf_load(x + i)));
}

static void KERNEL(add)(float *x, const float *other, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride, other += s.stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_add(vf_load(x + i), vf_load(other + i)));
}

static void KERNEL(gate_silu)(float *y, const float *z, size_t z_stride, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, y += s.stride, z += z_stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(y + i, vf_mul(vf_load(y + i), vf_silu(vf_load(z + i))));
}

static void KERNEL(add_gated)(float *x, const float *a, const float *g, size_t ag_stride, struct span s)
{
    size_t row, i;

    for (row = 0; row < s.n_rows; row++, x += s.stride, a += ag_stride, g += ag_stride)
        for (i = s.begin; i < s.end; i += VF_LANES)
            vf_store(x + i, vf_fma(vf_load(a + i), vf_sigmoid(vf_load(g + i)), vf_load(x + i)));
}

static void KERNEL(flush)(float *out, const float *x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        out[i] = x[i] < 0x1p-100f && x[i] > -0x1p-100f ? 0.0f : x[i];
}

/* Row t of the stream, counted from the first of these steps; before it the window has them. */
VF_INLINE const float *conv_row(const struct conv *c, ptrdiff_t t)
{
    if (t < 0)
        return c->window + (size_t)(t + (ptrdiff_t)c->d_conv - 1) * c->width;
    return c->v + (size_t)t * c->v_stride;
}

static void KERNEL(conv_silu)(const struct conv *c)
{
    const size_t begin = (size_t)c->first_group * 16, end = (size_t)c->end_group * 16;
    const ptrdiff_t taps = (ptrdiff_t)c->d_conv, steps = (ptrdiff_t)c->n_steps;
    ptrdiff_t t, k;
    size_t i;

    for (t = 0; t < steps; t++)
        for (i = begin; i < end; i += VF_LANES) {
            vf acc = vf_load(c->bias + i);
            for (k = 0; k < taps; k++)
                acc = vf_fma(vf_load(c->weight + (size_t)k * c->width + i), vf_load(conv_row(c, t - taps + 1 + k) + i), acc);
            vf_store(c->u + (size_t)t * c->width + i, vf_silu(acc));
        }
    /* ascending, so that a row moves before it is overwritten when the steps are fewer than the taps */
    for (k = 0; k < taps - 1; k++)
        memmove(c->window + (size_t)k * c->width + begin, conv_row(c, steps - taps + 1 + k) + begin,
                (end - begin) * sizeof(float));
}
