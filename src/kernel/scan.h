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

    for (i = 1; i < l->n_blocks; i++)
        value = vf_select(l->mask[i], vf_set1(at[(size_t)i * width]), value);
    return value;
}

/* States below this are zero: a silent stream decays to nothing, and subnormal numbers would make that slow. */
VF_INLINE vf flush_tiny(vf x)
{
    return vf_select(vf_lt(vf_abs(x), vf_set1(0x1p-100f)), vf_set1(0.0f), x);
}

/* What of the configuration the inner loop depends on, as constants where the caller has constants. */
struct scan_kind {
    int is_complex, hold, a_lanes, b_weight, b_bias, c_selective, c_complex;
};

/* One vector of channels at one state: A's four numbers. */
VF_INLINE vf load_a(const struct scan *s, const struct scan_kind kind, const float *a, int plane)
{
    (void)s;
    return kind.a_lanes ? vf_load(a + plane * 16) : vf_set1(a[plane]);
}

/* x <- Abar x + Bbar u for one vector of channels and one complex state; returns the new x in place. */
VF_INLINE void step_complex(const struct scan_kind kind, const vf a[4], const vf inverse[2], vf delta, vf u, vf b_re, vf b_im,
                            float *x)
{
    vf em1, sine, cosine, cosine_m1, n_re, n_im;
    const vf e = vf_exp2_decay(delta, a[0], a[1], &em1);
    /* where the decay is complete the angle does not matter, and need not be reduced */
    const vf turning = vf_zero_unless(vf_gt(e, vf_set1(0.0f)), delta);
    vf_cis_product(turning, a[2], a[3], &sine, &cosine, &cosine_m1);
    const vf abar_re = vf_mul(e, cosine), abar_im = vf_mul(e, sine);

    if (kind.hold) { /* exp(z) - 1 = expm1(a) cos(b) + (cos(b) - 1), e^a sin(b) */
        n_re = vf_fma(em1, cosine, cosine_m1);
        n_im = abar_im;
        if (kind.a_lanes) {
            const vf re = vf_fms(n_re, inverse[0], vf_mul(n_im, inverse[1]));
            n_im = vf_fma(n_re, inverse[1], vf_mul(n_im, inverse[0]));
            n_re = re;
        }
        const vf re = vf_fms(n_re, b_re, vf_mul(n_im, b_im));
        b_im = vf_fma(n_re, b_im, vf_mul(n_im, b_re));
        b_re = re;
    } else {
        b_re = vf_mul(delta, b_re);
        b_im = vf_mul(delta, b_im);
    }
    const vf x_re = vf_load(x), x_im = vf_load(x + 16);
    vf_store(x, flush_tiny(vf_fma(abar_re, x_re, vf_fnma(abar_im, x_im, vf_mul(b_re, u)))));
    vf_store(x + 16, flush_tiny(vf_fma(abar_re, x_im, vf_fma(abar_im, x_re, vf_mul(b_im, u)))));
}

VF_INLINE void step_real(const struct scan_kind kind, const vf a[4], const vf inverse[2], vf delta, vf u, vf b, float *x)
{
    vf em1;
    const vf abar = vf_exp2_decay(delta, a[0], a[1], &em1);

    if (kind.hold)
        b = vf_mul(kind.a_lanes ? vf_mul(em1, inverse[0]) : em1, b);
    else
        b = vf_mul(delta, b);
    vf_store(x, flush_tiny(vf_fma(abar, vf_load(x), vf_mul(b, u))));
}

/* All states of one vector of channels at one step; returns the sum over states of Re(C x). */
VF_INLINE vf scan_step(const struct scan *s, const struct scan_kind kind, const struct lanes *lanes, size_t lane_at,
                       vf delta, vf u, const float *bc, float *x)
{
    const uint32_t n = s->config->d_state, planes = kind.is_complex ? 2 : 1, a_step = 2 * planes * (kind.a_lanes ? 16 : 1);
    const uint32_t c_planes = kind.c_complex ? 2 : 1;
    const float *a = s->unit->a + (kind.a_lanes ? lane_at * n * 2 * planes : 0);
    const float *inverse = kind.a_lanes && kind.hold ? s->unit->a_inverse + lane_at * n * planes : NULL;
    const float *bias = kind.b_bias ? s->unit->b_bias + lane_at * n * planes : NULL;
    const float *c = kind.c_selective ? NULL : s->unit->c + lane_at * n * c_planes;
    const float *c_row = kind.c_selective ? bc + (kind.b_weight ? n * planes : 0) : NULL;
    vf y = vf_set1(0.0f), av[4], iv[2], b_re, b_im = vf_set1(0.0f), c_re, c_im;
    uint32_t i, plane;

    for (i = 0; i < n; i++, a += a_step, x += 16 * planes) {
        for (plane = 0; plane < 2 * planes; plane++)
            av[plane] = load_a(s, kind, a, (int)plane);
        iv[0] = iv[1] = vf_set1(0.0f);
        if (kind.a_lanes && kind.hold)
            for (plane = 0; plane < planes; plane++)
                iv[plane] = vf_load(inverse + (i * planes + plane) * 16);
        b_re = kind.b_weight ? block_value(lanes, bc + i, s->bc_width) : vf_set1(0.0f);
        if (kind.b_bias) {
            const vf re = vf_load(bias + i * planes * 16);
            b_re = kind.b_weight ? vf_add(b_re, re) : re;
        }
        if (kind.is_complex) {
            b_im = kind.b_weight ? block_value(lanes, bc + n + i, s->bc_width) : vf_set1(0.0f);
            if (kind.b_bias) {
                const vf im = vf_load(bias + (i * 2 + 1) * 16);
                b_im = kind.b_weight ? vf_add(b_im, im) : im;
            }
            step_complex(kind, av, iv, delta, u, b_re, b_im, x);
        } else {
            step_real(kind, av, iv, delta, u, b_re, x);
        }
        c_re = kind.c_selective ? block_value(lanes, c_row + i, s->bc_width) : vf_load(c + i * c_planes * 16);
        y = vf_fma(c_re, vf_load(x), y);
        if (kind.c_complex) {
            c_im = kind.c_selective ? block_value(lanes, c_row + n + i, s->bc_width) : vf_load(c + (i * 2 + 1) * 16);
            y = vf_fnma(c_im, vf_load(x + 16), y);
        }
    }
    return y;
}

static void scan(const struct scan *s)
{
    const struct config *c = s->config;
    const uint32_t planes = config_planes(c), p = c->d_inner / c->h;
    const vf twice = vf_set1(c->conjugate ? 2.0f : 1.0f);
    struct scan_kind kind;
    struct lanes lanes;
    size_t at, t;

    kind.is_complex = c->complex_state != 0;
    kind.hold = c->discretization == ZERO_ORDER_HOLD;
    kind.a_lanes = c->a_scope != B2S6_SCOPE_LAYER;
    kind.b_weight = (c->b & B_HAS_WEIGHT) != 0;
    kind.b_bias = (c->b & B_HAS_BIAS) != 0;
    kind.c_selective = c->c == C_SELECTIVE;
    kind.c_complex = c->c_complex != 0;

    for (at = (size_t)s->first_group * 16; at < (size_t)s->end_group * 16; at += VF_LANES) {
        /* a group's values lie (n, planes, 16): the vectors of one group begin VF_LANES apart in each plane */
        const size_t group = at / 16 * 16, lane = at % 16;
        struct scan here = *s;
        struct unit unit = *s->unit;
        float *x = s->x + group * c->d_state * planes + lane;

        unit.a += kind.a_lanes ? lane : 0;
        unit.a_inverse += unit.a_inverse ? lane : 0;
        unit.b_bias += unit.b_bias ? lane : 0;
        unit.c += unit.c ? lane : 0;
        here.unit = &unit;
        find_lanes(&lanes, (uint32_t)(at < c->d_inner ? at : c->d_inner - 1), p, c->d_inner);
        for (t = 0; t < s->n_steps; t++) {
            const ptrdiff_t row = (ptrdiff_t)t;
            const vf u = vf_load(s->u + row * s->u_stride + at);
            const vf delta = vf_load(s->delta + row * s->delta_stride + at);
            const float *bc = s->bc ? s->bc + row * s->bc_stride + (size_t)lanes.first_block * s->bc_width : NULL;
            vf y = vf_mul(twice, scan_step(&here, kind, &lanes, group, delta, u, bc, x));
            if (unit.d)
                y = vf_fma(vf_load(unit.d + at), u, y);
            vf_store(s->y + row * s->y_stride + at, y);
        }
    }
}
