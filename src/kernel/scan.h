/*
 * The recurrence itself (spec: x <- exp(delta A) x + Bbar u; y = s Re(C x) + D u), one text for every instruction set;
 * include after a vec_*.h and elementary.h. Lanes are channels; the sum over states runs in order.
 *
 * B2S6: Yu and Erichson, arXiv 2505.09022, Algorithm 2, eq. 7-8. S6: Gu and Dao, arXiv 2312.00752. Zero-order hold:
 * Bbar = A^-1 (exp(delta A) - 1) B.
 */

/* What a vector of channels needs to find its block's values of B and C. */
struct lanes {
    uint32_t first_block, n_blocks; /* that these lanes belong to */
    vm mask[VF_LANES];              /* (n_blocks): which lanes belong to it */
};

/* Lanes beyond the last channel follow the last block. */
VF_INLINE void find_lanes(struct lanes *l, uint32_t channel, uint32_t p, uint32_t d)
{
    float block[VF_LANES];
    uint32_t i, last = 0;

    l->first_block = channel / p;
    for (i = 0; i < VF_LANES; i++) {
        last = (channel + i < d ? channel + i : d - 1) / p - l->first_block;
        block[i] = (float)last;
    }
    l->n_blocks = last + 1;
    for (i = 0; i < l->n_blocks; i++)
        l->mask[i] = vf_eq(vf_load(block), vf_set1((float)i));
}

/* The value of each lane's block: at points to the first block's, the others' lie width floats apart. */
VF_INLINE vf block_value(const struct lanes *l, const float *at, uint32_t width)
{
    vf value = vf_set1(*at);
    uint32_t i;

    for (i = 1; VF_LANES > 1 && i < l->n_blocks; i++) /* one lane has one block, which gcc does not see */
        value = vf_select(l->mask[i], vf_set1(at[(size_t)i * width]), value);
    return value;
}

/* States below this are zero: a silent stream decays to nothing, and subnormal numbers would make that slow. */
VF_INLINE vf flush_tiny(vf x)
{
    return vf_select(vf_lt(vf_abs(x), vf_set1(0x1p-100f)), vf_set1(0.0f), x);
}

/* What of the configuration the inner loop depends on; a constant where the caller has one. */
struct scan_kind {
    unsigned char is_complex, hold, a_lanes, b_weight, b_bias, c_selective, c_complex;
};

/* States that are worked on together: they and their A stay in registers while the steps go by. */
enum { SCAN_STATES = VF_LANES == 1 ? 1 : 4 };

/* One vector of channels at one state. */
struct scan_state {
    vf re, im;              /* x */
    vf a[4];                /* decay hi, lo, turn hi, lo */
    vf inverse[2];          /* 1 / A */
    vf bias_re, bias_im;    /* of B */
    vf c_re, c_im;          /* constant C */
};

/* x <- Abar x + Bbar u */
VF_INLINE void step_complex(const struct scan_kind kind, struct scan_state *x, vf delta, vf u, vf b_re, vf b_im)
{
    vf em1, sine, cosine, cosine_m1, n_re, n_im;
    const vf e = vf_exp2_decay(delta, x->a[0], x->a[1], &em1);
    /* where the decay is complete the angle does not matter, and need not be reduced */
    const vf turning = vf_zero_unless(vf_gt(e, vf_set1(0.0f)), delta);
    vf_cis_product(turning, x->a[2], x->a[3], &sine, &cosine, &cosine_m1);
    const vf abar_re = vf_mul(e, cosine), abar_im = vf_mul(e, sine);

    if (kind.hold) { /* exp(z) - 1 = expm1(a) cos(b) + (cos(b) - 1), e^a sin(b) */
        n_re = vf_fma(em1, cosine, cosine_m1);
        n_im = abar_im;
        if (kind.a_lanes) {
            const vf re = vf_fms(n_re, x->inverse[0], vf_mul(n_im, x->inverse[1]));
            n_im = vf_fma(n_re, x->inverse[1], vf_mul(n_im, x->inverse[0]));
            n_re = re;
        }
        const vf re = vf_fms(n_re, b_re, vf_mul(n_im, b_im));
        b_im = vf_fma(n_re, b_im, vf_mul(n_im, b_re));
        b_re = re;
    } else {
        b_re = vf_mul(delta, b_re);
        b_im = vf_mul(delta, b_im);
    }
    const vf re = vf_fma(abar_re, x->re, vf_fnma(abar_im, x->im, vf_mul(b_re, u)));
    x->im = flush_tiny(vf_fma(abar_re, x->im, vf_fma(abar_im, x->re, vf_mul(b_im, u))));
    x->re = flush_tiny(re);
}

VF_INLINE void step_real(const struct scan_kind kind, struct scan_state *x, vf delta, vf u, vf b)
{
    vf em1;
    const vf abar = vf_exp2_decay(delta, x->a[0], x->a[1], &em1);

    if (kind.hold)
        b = vf_mul(kind.a_lanes ? vf_mul(em1, x->inverse[0]) : em1, b);
    else
        b = vf_mul(delta, b);
    x->re = flush_tiny(vf_fma(abar, x->re, vf_mul(b, u)));
}

/* Where the parts of a vector of channels lie: each pointer at the first state's value, lanes planes 16 floats apart. */
struct scan_place {
    const float *a, *inverse, *b_bias, *c;
    float *x;
};

/* n_states states from number i on: x, and what does not change from step to step. */
VF_INLINE void load_states(struct scan_state *state, const struct scan_kind kind, const struct scan_place *at, uint32_t i,
                           const int n_states)
{
    const size_t planes = kind.is_complex ? 2 : 1, c_planes = kind.c_complex ? 2 : 1;
    size_t k, plane;
    int j;

    for (j = 0; j < n_states; j++, state++) {
        k = i + (size_t)j;
        state->re = vf_load(at->x + k * planes * 16);
        state->im = kind.is_complex ? vf_load(at->x + k * 32 + 16) : vf_set1(0.0f);
        for (plane = 0; plane < 2 * planes; plane++)
            state->a[plane] = kind.a_lanes ? vf_load(at->a + (k * 2 * planes + plane) * 16)
                                           : vf_set1(at->a[k * 2 * planes + plane]);
        for (plane = 0; kind.a_lanes && kind.hold && plane < planes; plane++)
            state->inverse[plane] = vf_load(at->inverse + (k * planes + plane) * 16);
        state->bias_re = kind.b_bias ? vf_load(at->b_bias + k * planes * 16) : vf_set1(0.0f);
        state->bias_im = kind.b_bias && kind.is_complex ? vf_load(at->b_bias + k * 32 + 16) : vf_set1(0.0f);
        state->c_re = kind.c_selective ? vf_set1(0.0f) : vf_load(at->c + k * c_planes * 16);
        state->c_im = !kind.c_selective && kind.c_complex ? vf_load(at->c + k * 32 + 16) : vf_set1(0.0f);
    }
}

/* One step of n_states states from number i on; returns y plus their share of Re(C x). bc: the rows of the first block. */
VF_INLINE vf step_states(struct scan_state *state, const struct scan_kind kind, const struct lanes *lanes, uint32_t n,
                         uint32_t width, const float *bc, uint32_t i, const int n_states, vf delta, vf u, vf y)
{
    const size_t c_rows = kind.b_weight ? (size_t)n * (kind.is_complex ? 2 : 1) : 0; /* those of B come first */
    const uint32_t end = i + (uint32_t)n_states;

    for (; i < end; i++, state++) {
        vf b_re = kind.b_weight ? block_value(lanes, bc + i, width) : vf_set1(0.0f);
        vf b_im = kind.b_weight && kind.is_complex ? block_value(lanes, bc + n + i, width) : vf_set1(0.0f);

        if (kind.b_bias) {
            b_re = kind.b_weight ? vf_add(b_re, state->bias_re) : state->bias_re;
            b_im = kind.b_weight ? vf_add(b_im, state->bias_im) : state->bias_im;
        }
        if (kind.is_complex)
            step_complex(kind, state, delta, u, b_re, b_im);
        else
            step_real(kind, state, delta, u, b_re);
        y = vf_fma(kind.c_selective ? block_value(lanes, bc + c_rows + i, width) : state->c_re, state->re, y);
        if (kind.c_complex)
            y = vf_fnma(kind.c_selective ? block_value(lanes, bc + c_rows + n + i, width) : state->c_im, state->im, y);
    }
    return y;
}

/* All steps of n_states states from number i on; the sums over states pass through y from one call to the next. */
VF_INLINE void scan_states(const struct scan *s, const struct scan_kind kind, const struct lanes *lanes,
                           const struct scan_place *at, size_t channel, uint32_t i, const int n_states)
{
    const uint32_t n = s->config->d_state;
    const int is_last = i + (uint32_t)n_states == n;
    const vf twice = vf_set1(s->config->conjugate ? 2.0f : 1.0f);
    const float *bc = s->bc ? s->bc + (size_t)lanes->first_block * s->bc_width : NULL;
    struct scan_state state[SCAN_STATES];
    const size_t planes = kind.is_complex ? 2 : 1;
    ptrdiff_t t;
    int j;

    load_states(state, kind, at, i, n_states);
    for (t = 0; t < (ptrdiff_t)s->n_steps; t++) {
        const vf u = vf_load(s->u + t * s->u_stride + channel);
        const vf delta = vf_load(s->delta + t * s->delta_stride + channel);
        float *y = s->y + t * s->y_stride + channel;
        vf sum = i ? vf_load(y) : vf_set1(0.0f);

        sum = step_states(state, kind, lanes, n, s->bc_width, bc ? bc + t * s->bc_stride : NULL, i, n_states, delta, u, sum);
        if (is_last) {
            sum = vf_mul(twice, sum);
            if (s->unit->d)
                sum = vf_fma(vf_load(s->unit->d + channel), u, sum);
        }
        vf_store(y, sum);
    }
    for (j = 0; j < n_states; j++) {
        vf_store(at->x + (i + (size_t)j) * planes * 16, state[j].re);
        if (kind.is_complex)
            vf_store(at->x + (i + (size_t)j) * 32 + 16, state[j].im);
    }
}

/* Everything for one vector of channels. */
VF_INLINE void scan_vector(const struct scan *s, const struct scan_kind kind, size_t channel)
{
    const struct config *c = s->config;
    const struct unit *u = s->unit;
    const size_t planes = kind.is_complex ? 2 : 1, c_planes = kind.c_complex ? 2 : 1;
    /* a group's values lie (n, planes, 16), so the vectors of a group begin VF_LANES apart in each plane */
    const size_t group = channel / 16 * 16 * c->d_state, lane = channel % 16;
    struct scan_place at;
    struct lanes lanes;
    uint32_t i = 0;

    at.a = u->a + (kind.a_lanes ? group * 2 * planes + lane : 0);
    at.inverse = kind.a_lanes && kind.hold ? u->a_inverse + group * planes + lane : NULL;
    at.b_bias = kind.b_bias ? u->b_bias + group * planes + lane : NULL;
    at.c = kind.c_selective ? NULL : u->c + group * c_planes + lane;
    at.x = s->x + group * planes + lane;
    find_lanes(&lanes, (uint32_t)(channel < c->d_inner ? channel : c->d_inner - 1), c->d_inner / c->h, c->d_inner);
    for (; i + SCAN_STATES <= c->d_state; i += SCAN_STATES)
        scan_states(s, kind, &lanes, &at, channel, i, SCAN_STATES);
    for (; SCAN_STATES > 1 && i < c->d_state; i++)
        scan_states(s, kind, &lanes, &at, channel, i, 1);
}

static void scan(const struct scan *s)
{
    static const struct scan_kind b2s6 = { 1, 1, 0, 1, 1, 1, 0 }, s6 = { 0, 0, 1, 1, 0, 1, 0 };
    const struct config *c = s->config;
    const size_t begin = (size_t)s->first_group * 16, end = (size_t)s->end_group * 16;
    struct scan_kind kind;
    size_t channel;

    kind.is_complex = config_is_complex(c);
    kind.hold = c->discretization == ZERO_ORDER_HOLD;
    kind.a_lanes = c->a_scope != B2S6_SCOPE_LAYER;
    kind.b_weight = (c->b & B_HAS_WEIGHT) != 0;
    kind.b_bias = (c->b & B_HAS_BIAS) != 0;
    kind.c_selective = c->c == C_SELECTIVE;
    kind.c_complex = c->c_complex != 0;

    /* the two units that matter most get loops of their own; the arithmetic is the same */
    if (!B2S6_HAS_OTHER_UNITS || (VF_LANES > 1 && memcmp(&kind, &b2s6, sizeof kind) == 0)) {
        for (channel = begin; channel < end; channel += VF_LANES)
            scan_vector(s, b2s6, channel);
    } else if (VF_LANES > 1 && memcmp(&kind, &s6, sizeof kind) == 0) {
        for (channel = begin; channel < end; channel += VF_LANES)
            scan_vector(s, s6, channel);
    } else {
        for (channel = begin; channel < end; channel += VF_LANES)
            scan_vector(s, kind, channel);
    }
}
