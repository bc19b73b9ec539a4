/*
 * The recurrence itself, one text for every instruction set; include after a vec_*.h and elementary.h (vf_factors). It
 * is in the table as scan, and src/unit.c calls it once for each stream of a pass, with a range of groups of channels
 * for each thread. Lanes are channels; the sum over states runs in order. It knows struct scan (kernels.h) and no
 * model: B2S6, S6, S4D and Mamba-2 are settings of it. It allocates nothing and cannot fail. docs/arithmetic.md writes
 * the operations out.
 *
 *     x <- exp(z) x + Bbar u,   y = s Re(C x) + D u,   z = delta A
 *
 * Zero-order hold: Bbar = (exp(z) - 1) B', B' = B / A; Euler: Bbar = delta B. With exp(z) = scale (1 + g)
 * (elementary.h),
 *
 *     y  = x + g (x + B' u)                     hold          y = x + g x               Euler
 *     x <- scale y + (scale - 1) u B'                         x <- scale y + delta u B
 *
 * A slow mode has scale 1 and g small: its x moves by g (x + B' u), of which nothing is lost but by the rounding of x
 * itself. A compensated state keeps that too, in lo. A fast mode has a small scale, an exact power of two: what it
 * forgets leaves no trace, which x + g v alone would. The plain form, exp(z) rounded and multiplied by x, loses the
 * digits of g in the 1 that it is added to, step after step.
 *
 * The order of the loops, from outside: a vector of channels; (of scalar A) a tile of steps; a set of states; the
 * steps; the states of the set. So a set's states stay in registers while the steps go by, and are read and written
 * once a chunk. What passes from one set of states to the next, the sum of C x, is kept in y:
 *
 *              step 0   step 1   step 2  ...
 *     states 0 .. 3    ------------------>     y  = the sum of these
 *     states 4 .. 7    ------------------>     y += these         ... the last set scales y and adds D u
 *
 * So each y still sums its states in order, and y must not be u: u is read again by every set. Splitting the steps
 * into chunks changes no bit, as a state in memory is all that passes from step to step.
 *
 * Padding: lanes beyond the last channel are computed like the others, from whatever their u, delta and state hold,
 * and written to the padding of y and x. No lane reads another.
 *
 * B2S6: Yu and Erichson, arXiv 2505.09022, Algorithm 2, eq. 7-8. S6: Gu and Dao, arXiv 2312.00752. Mamba-2, whose A is
 * one value a channel: Dao and Gu, arXiv 2405.21060.
 */

/*
 * SCAN_..._STATES: states of a set, which are worked on together while the steps go by. SCAN_..._TOGETHER: of these
 * the ones whose operations alternate, as one chain of operations leaves a processor waiting; no more than VF_FACTORS,
 * and a divisor of the set. SCAN_STATES is the largest of all sets. A set of real states is twice as long, as a
 * complex state is two values. With 16 registers more than two complex states at once would go through memory.
 */
#if VF_LANES == 1 || !VF_FUSED /* the fused operation is long by itself; and code that repeats it is large */
enum { SCAN_COMPLEX_STATES = 1, SCAN_COMPLEX_TOGETHER = 1, SCAN_REAL_STATES = 1, SCAN_REAL_TOGETHER = 1, SCAN_STATES = 1 };
#elif VF_REGISTERS >= 32
enum { SCAN_COMPLEX_STATES = 4, SCAN_COMPLEX_TOGETHER = 4, SCAN_REAL_STATES = 8, SCAN_REAL_TOGETHER = 4, SCAN_STATES = 8 };
#else
enum { SCAN_COMPLEX_STATES = 4, SCAN_COMPLEX_TOGETHER = 2, SCAN_REAL_STATES = 8, SCAN_REAL_TOGETHER = 4, SCAN_STATES = 8 };
#endif

/*
 * Steps whose factors are formed ahead of the states that share them (SCAN_A_SCALAR): one factor serves all states of
 * a channel, so it is formed once a step, and not once a step and set. The tile bounds what is kept of them, whatever
 * the number of steps.
 */
enum { SCAN_TILE = 8 };

/* What a vector of channels needs to find its rows of B and C. */
struct lanes {
    /* rows of bc, counted from the first of a step */
    uint32_t first_row, n_rows; /* that these lanes belong to */
    vm mask[VF_LANES];          /* (n_rows): which lanes belong to it */
};

/*
 * The rows of vector `channel` .. channel + VF_LANES - 1, p channels a row. Lanes beyond the last channel d - 1 follow
 * the last row, so that no row is read that is not there; channel itself is below d. A vector has at most as many rows
 * as lanes, so mask has places enough. Row numbers are compared as floats: they are below 16, and every layer has
 * vf_eq.
 */
VF_INLINE void find_lanes(struct lanes *l, uint32_t channel, uint32_t p, uint32_t d)
{
    /* of each lane, its row less first_row */
    float row[VF_LANES];
    uint32_t i, last = 0;

    l->first_row = channel / p;
    for (i = 0; i < VF_LANES; i++) {
        last = (channel + i < d ? channel + i : d - 1) / p - l->first_row;
        row[i] = (float)last;
    }
    l->n_rows = last + 1;
    for (i = 0; i < l->n_rows; i++)
        l->mask[i] = vf_eq(vf_load(row), vf_set1((float)i));
}

/*
 * One vector of channels at one state: x, and what does not change from step to step. What a kind has no use for is 0
 * and never read, so a compiler that knows the kind drops it.
 */
struct scan_state {
    vf re, im, re_lo, im_lo;        /* x = re + i im; lo: what roundings took, compensated states only */
    vf_rate a;
    vf_factor g;                    /* where delta is constant */
    vf inverse_re, inverse_im;      /* 1 / A */
    vf bias_re, bias_im;            /* of B */
    vf c_re, c_im;                  /* constant C */
};

/* B and C of one vector at one state and step: what differs from step to step, then made complete by finish_input. */
struct scan_input {
    vf b_re, b_im, c_re, c_im;
};

/* Where the parts of a vector of channels are: each pointer at the first state's value, lanes planes 16 floats apart. */
struct scan_place {
    const float *a, *inverse, *b_bias, *c;
    float *x;
};

/*
 * What all states of a vector of channels share: channel is the first of its lanes, formed the factors of a tile of
 * steps (SCAN_A_SCALAR).
 */
struct scan_vector {
    const struct scan *s;
    struct lanes lanes;
    struct scan_place at;
    size_t channel;
    vf_factor formed[SCAN_TILE];
};

/*
 * B' = B (1 / A), if A is not the layer's: with an A of the layer the file has B divided already. A complex product,
 * its second operations fused. In place; re is kept apart, as im needs the old one.
 */
VF_INLINE void divide_by_a(struct scan_input *in, const struct scan_kind kind, const struct scan_state *x)
{
    if (kind.is_complex) {
        /* (b_re + i b_im) (v_re + i v_im) */
        const vf re = vf_fms(in->b_re, x->inverse_re, vf_mul(in->b_im, x->inverse_im));

        in->b_im = vf_fma(in->b_re, x->inverse_im, vf_mul(in->b_im, x->inverse_re));
        in->b_re = re;
    } else {
        in->b_re = vf_mul(in->b_re, x->inverse_re);
    }
}

/*
 * States of less than 2^-95 are zero, all parts at once: a silent stream decays to nothing, and subnormal numbers
 * would make that slow. By one test of bits: the exponent has none of its upper three, so it is below 32 - 127 = -95.
 * An infinity or a NaN has them and stays. At every step, not now and then: else the bits would depend on how a stream
 * is cut into chunks.
 */
VF_INLINE void flush_state(struct scan_state *x, const struct scan_kind kind)
{
    /* both parts at once: one that is large keeps the other, however small */
    const vi bits = kind.is_complex ? vi_or(vf_bits(x->re), vf_bits(x->im)) : vf_bits(x->re);
    const vm live = vi_test(bits, vi_set1(0x70000000));

    x->re = vf_zero_unless(live, x->re);
    if (kind.is_complex)
        x->im = vf_zero_unless(live, x->im);
    if (kind.compensated)
        x->re_lo = vf_zero_unless(live, x->re_lo);
    if (kind.compensated && kind.is_complex)
        x->im_lo = vf_zero_unless(live, x->im_lo);
}

/*
 * x <- scale (x + d) + outer b for one part (re or im), d what the state moves by before scale. A plain state has x in
 * d already. If compensated, y = x + d is rounded, and d - (y - x) is what that lost: exactly, as long as x is the
 * larger of the two. lo takes it up, and with Euler, where outer is all the input, what the last sum lost too. With
 * hold outer is 0 where scale is 1, so that the last sum is y and loses nothing in a slow mode. Where
 * scale x is below 2^-126 the state is flushed, or b is all that is seen of the sum.
 */
VF_INLINE void move_part(vf *x, vf *lo, const struct scan_kind kind, vf scale, vf d, vf outer, vf b)
{
    const vf y = kind.compensated ? vf_add(*x, d) : d;
    const vf moved = vf_scaled_add(scale, y, vf_mul(outer, b));

    if (kind.compensated) {
        /* y - x is exact, and with it lost, if |x| >= |d| */
        const vf lost = vf_sub(d, vf_sub(y, *x));

        *lo = kind.hold ? vf_mul(scale, lost) : vf_scaled_add(scale, lost, vf_fma(outer, b, vf_scaled_sub(scale, y, moved)));
    }
    *x = moved;
}

/*
 * One step of one state: g is its factor exp(z) = scale (1 + g), in B, delta_u delta u (once a step, for all states).
 * The complex product g v is four fused operations that begin with x (plain) or lo (compensated):
 *
 *     re: from_re + g_re v_re - g_im v_im       im: from_im + g_im v_re + g_re v_im
 *
 * The last line of the two in the file's head is done also where scale is 1: leaving it out would be a branch, and
 * other bits for infinities.
 */
VF_INLINE void step_state(struct scan_state *x, const struct scan_kind kind, const vf_factor *g, const struct scan_input *in,
                          vf u, vf delta_u)
{
    /* what multiplies B after scale: (scale - 1) u, or delta u */
    const vf outer = kind.hold ? vf_mul(vf_sub(g->scale, vf_set1(1.0f)), u) : delta_u;
    /* what g multiplies: x + B' u, or x */
    const vf v_re = kind.hold ? vf_fma(in->b_re, u, x->re) : x->re;
    /* what g v is added to: x, or its rest, since x comes in after it */
    const vf from_re = kind.compensated ? x->re_lo : x->re;

    if (kind.is_complex) {
        const vf v_im = kind.hold ? vf_fma(in->b_im, u, x->im) : x->im;
        const vf from_im = kind.compensated ? x->im_lo : x->im;
        const vf d_re = vf_fma(g->re, v_re, vf_fnma(g->im, v_im, from_re));
        const vf d_im = vf_fma(g->re, v_im, vf_fma(g->im, v_re, from_im));

        move_part(&x->re, &x->re_lo, kind, g->scale, d_re, outer, in->b_re);
        move_part(&x->im, &x->im_lo, kind, g->scale, d_im, outer, in->b_im);
    } else {
        move_part(&x->re, &x->re_lo, kind, g->scale, vf_fma(g->re, v_re, from_re), outer, in->b_re);
    }
    flush_state(x, kind);
}

/*
 * n_states states from number i on: x, and what does not change from step to step. Arrays in lanes are (n, planes, 16)
 * from the vector's own first lane, so a plane is 16 floats from the next whatever the width of a vector; a shared A
 * is (n, planes) without lanes. Planes of A: decay, or decay, turn, turn_lo. im_lo is the fourth plane and exists only
 * with im, hence 48.
 */
VF_INLINE void load_states(struct scan_state *state, const struct scan_kind kind, const struct scan_vector *w, uint32_t i,
                           const int n_states)
{
    const size_t cx = kind.is_complex ? 2 : 1, planes = kind.compensated ? 2 * cx : cx, cc = kind.c_complex ? 2 : 1;
    const size_t a_planes = kind.is_complex ? 3 : 1, a_lanes = kind.a == SCAN_A_SHARED ? 1 : 16;
    const struct scan_place *at = &w->at;
    const vf none = vf_set1(0.0f);
    int j;

    VF_UNROLL for (j = 0; j < n_states; j++) {
        struct scan_state *x = state + j;
        /* k: number of the state; a, from: its first values of A and of x */
        const size_t k = i + (size_t)j;
        const float *a = at->a + k * a_planes * a_lanes, *from = at->x + k * planes * 16;

        x->re = vf_load(from);
        x->im = kind.is_complex ? vf_load(from + 16) : none;
        x->re_lo = kind.compensated ? vf_load(from + cx * 16) : none;
        x->im_lo = kind.compensated && kind.is_complex ? vf_load(from + 48) : none;
        if (kind.a == SCAN_A_SHARED) {
            x->a.decay = vf_set1(a[0]);
            x->a.turn = kind.is_complex ? vf_set1(a[1]) : none;
            x->a.turn_lo = kind.is_complex ? vf_set1(a[2]) : none;
        } else if (kind.a == SCAN_A_LANES) {
            x->a.decay = vf_load(a);
            x->a.turn = kind.is_complex ? vf_load(a + 16) : none;
            x->a.turn_lo = kind.is_complex ? vf_load(a + 32) : none;
        } else {
            x->a.decay = x->a.turn = x->a.turn_lo = none; /* the tile has their factors */
        }
        x->g.scale = x->g.re = x->g.im = none;
        x->inverse_re = kind.b_over_a ? vf_load(at->inverse + k * cx * 16) : none;
        x->inverse_im = kind.b_over_a && kind.is_complex ? vf_load(at->inverse + k * 32 + 16) : none;
        x->bias_re = kind.b_bias ? vf_load(at->b_bias + k * cx * 16) : none;
        x->bias_im = kind.b_bias && kind.is_complex ? vf_load(at->b_bias + k * 32 + 16) : none;
        x->c_re = kind.c_selective ? none : vf_load(at->c + k * cc * 16);
        x->c_im = !kind.c_selective && kind.c_complex ? vf_load(at->c + k * 32 + 16) : none;
        if (kind.b_over_a && !kind.b_weight) { /* a constant B is divided once */
            struct scan_input in = { x->bias_re, x->bias_im, none, none };

            divide_by_a(&in, kind, x);
            x->bias_re = in.b_re;
            x->bias_im = in.b_im;
        }
    }
}

/* The states alone go back, as nothing else has changed. Planes as in load_states. */
VF_INLINE void store_states(const struct scan_state *state, const struct scan_kind kind, const struct scan_vector *w,
                            uint32_t i, const int n_states)
{
    const size_t cx = kind.is_complex ? 2 : 1, planes = kind.compensated ? 2 * cx : cx;
    int j;

    VF_UNROLL for (j = 0; j < n_states; j++) {
        float *to = w->at.x + (i + (size_t)j) * planes * 16;

        vf_store(to, state[j].re);
        if (kind.is_complex)
            vf_store(to + 16, state[j].im);
        if (kind.compensated)
            vf_store(to + cx * 16, state[j].re_lo);
        if (kind.compensated && kind.is_complex)
            vf_store(to + 48, state[j].im_lo);
    }
}

/*
 * The selective B and C of n_states states from number i on; bc: the row of the first lane at this step, NULL if
 * neither is selective. A row is B re (n), B im (n), C re (n), C im (n), of each that there is. one_row: of all lanes,
 * so each value is broadcast; else the rows that follow replace it in their own lanes. No row beyond that of the last
 * lane is read.
 */
VF_INLINE void load_input(struct scan_input *in, const struct scan_kind kind, const struct scan_vector *w, const float *bc,
                          uint32_t i, const int n_states, const int one_row)
{
    /* C follows B in a row, if there is a B */
    const uint32_t n = w->s->n, c_at = kind.b_weight ? n * (kind.is_complex ? 2 : 1) : 0;
    /* rows to read: without a selective B or C there is none, and the loop below must not begin */
    const uint32_t n_rows = one_row || !(kind.b_weight || kind.c_selective) ? 1 : w->lanes.n_rows;
    uint32_t row;
    int j;

    if (kind.b_weight || kind.c_selective)
        bc += i;
    /* the first row, for all lanes */
    VF_UNROLL for (j = 0; j < n_states; j++) {
        in[j].b_re = kind.b_weight ? vf_set1(bc[j]) : vf_set1(0.0f);
        in[j].b_im = kind.b_weight && kind.is_complex ? vf_set1(bc[n + j]) : vf_set1(0.0f);
        in[j].c_re = kind.c_selective ? vf_set1(bc[c_at + j]) : vf_set1(0.0f);
        in[j].c_im = kind.c_selective && kind.c_complex ? vf_set1(bc[c_at + n + j]) : vf_set1(0.0f);
    }
    for (row = 1; VF_LANES > 1 && row < n_rows; row++) { /* one lane has one row, which gcc does not see */
        const vm mask = w->lanes.mask[row];

        bc += w->s->bc_width;
        VF_UNROLL for (j = 0; j < n_states; j++) {
            if (kind.b_weight)
                in[j].b_re = vf_select(mask, vf_set1(bc[j]), in[j].b_re);
            if (kind.b_weight && kind.is_complex)
                in[j].b_im = vf_select(mask, vf_set1(bc[n + j]), in[j].b_im);
            if (kind.c_selective)
                in[j].c_re = vf_select(mask, vf_set1(bc[c_at + j]), in[j].c_re);
            if (kind.c_selective && kind.c_complex)
                in[j].c_im = vf_select(mask, vf_set1(bc[c_at + n + j]), in[j].c_im);
        }
    }
}

/*
 * B with its bias and 1 / A, C where it is constant. The order is part of the bits: first the bias, then the division.
 * Of an A of the layer, weight and bias are divided in the file. A constant B was divided when it was loaded, and is
 * not again.
 */
VF_INLINE void finish_input(struct scan_input *in, const struct scan_kind kind, const struct scan_state *x)
{
    if (kind.b_bias) {
        in->b_re = kind.b_weight ? vf_add(in->b_re, x->bias_re) : x->bias_re;
        in->b_im = !kind.is_complex ? in->b_im : kind.b_weight ? vf_add(in->b_im, x->bias_im) : x->bias_im;
    }
    if (kind.b_over_a && kind.b_weight)
        divide_by_a(in, kind, x);
    if (!kind.c_selective) {
        in->c_re = x->c_re;
        in->c_im = x->c_im;
    }
}

/*
 * Factors of n states at one step, n at most VF_FACTORS; at constant delta they are there, and with SCAN_A_SCALAR one
 * serves all. *tile is that one, and is not read otherwise. turning is min(limit, delta), what the angle follows
 * (elementary.h).
 */
VF_INLINE void find_factors(vf_factor *g, const struct scan_state *x, const struct scan_kind kind, const vf_factor *tile,
                            vf delta, vf turning, const int n)
{
    vf_rate a[VF_FACTORS];
    vf deltas[VF_FACTORS], turnings[VF_FACTORS];
    int j;

    VF_UNROLL for (j = 0; j < n; j++) {
        a[j] = x[j].a;
        deltas[j] = delta;
        turnings[j] = turning;
        g[j] = SCAN_IS_SCALAR(kind) ? *tile : x[j].g;
    }
    if (!kind.delta_constant && !SCAN_IS_SCALAR(kind))
        vf_factors(g, a, deltas, turnings, n, kind.is_complex);
}

/*
 * Steps begin .. end - 1 of n_states states from number i on; the sums over states pass through y from one call to the
 * next. All loops over states vanish, and state is registers then, which is the point of the whole arrangement. kind,
 * n_states and one_row are constants of the call where the caller has one.
 *
 * Strides are signed and t goes up: a unit that runs backwards has negative strides and its pointers at the last row.
 * y is complete once the last of the n states is in; the first set begins it at +0.
 */
VF_INLINE void scan_states(const struct scan_vector *w, const struct scan_kind kind, ptrdiff_t begin, ptrdiff_t end,
                           uint32_t i, const int n_states, const int one_row)
{
    const struct scan *s = w->s;
    const int most = kind.is_complex ? SCAN_COMPLEX_TOGETHER : SCAN_REAL_TOGETHER;
    const int together = n_states < most ? n_states : most, is_last = i + (uint32_t)n_states == s->n;
    const float *bc = s->bc ? s->bc + (size_t)w->lanes.first_row * s->bc_width : NULL;
    const vf limit = vf_set1(s->turn_limit);
    struct scan_state state[SCAN_STATES];
    ptrdiff_t t;
    int j, k;

    load_states(state, kind, w, i, n_states);
    /* factors of a constant delta, formed once for all steps: as if delta varied, since they are not there yet */
    if (kind.delta_constant && !SCAN_IS_SCALAR(kind)) {
        const vf delta = vf_load(s->delta + w->channel);
        /* members as in struct scan_kind: what a factor depends on, the rest 0 */
        const struct scan_kind varying = { kind.is_complex, 0, 0, kind.a, 0, 0, 0, 0, 0, 0 };

        VF_UNROLL for (j = 0; j < n_states; j += together) {
            vf_factor g[VF_FACTORS];

            find_factors(g, state + j, varying, w->formed, delta, vf_min(limit, delta), together);
            VF_UNROLL for (k = 0; k < together; k++)
                state[j + k].g = g[k];
        }
    }
    for (t = begin; t < end; t++) {
        const vf u = vf_load(s->u + t * s->u_stride + w->channel);
        const vf delta = vf_load(s->delta + t * s->delta_stride + w->channel);
        /* limit first, so that a NaN in delta comes out */
        const vf turning = vf_min(limit, delta), delta_u = vf_mul(delta, u);
        float *y = s->y + t * s->y_stride + w->channel;
        vf sum = i ? vf_load(y) : vf_set1(0.0f);
        struct scan_input in[SCAN_STATES];

        load_input(in, kind, w, bc ? bc + t * s->bc_stride : NULL, i, n_states, one_row);
        VF_UNROLL for (j = 0; j < n_states; j += together) {
            /* these depend on no other state, so their chains alternate; the updates below follow in order */
            vf_factor g[VF_FACTORS];

            find_factors(g, state + j, kind, w->formed + (t - begin) % SCAN_TILE, delta, turning, together);
            VF_UNROLL for (k = 0; k < together; k++) {
                finish_input(&in[j + k], kind, &state[j + k]);
                step_state(&state[j + k], kind, &g[k], &in[j + k], u, delta_u);
                sum = vf_fma(in[j + k].c_re, state[j + k].re, sum);
                if (kind.c_complex)
                    sum = vf_fnma(in[j + k].c_im, state[j + k].im, sum);
            }
        }
        /* y = s Re(C x) + D u, once all states are in */
        if (is_last) {
            sum = vf_mul(vf_set1(s->scale), sum);
            if (s->skip)
                sum = vf_fma(vf_load(s->skip + w->channel), u, sum);
        }
        vf_store(y, sum);
    }
    store_states(state, kind, w, i, n_states);
}

/*
 * All states of steps begin .. end - 1: whole sets, then one state at a time, which has its own loop over steps. Of a
 * scalar A, at most SCAN_TILE steps: their factors are formed first. Its A is real, so the angle's argument is never
 * used.
 */
VF_INLINE void scan_steps(struct scan_vector *w, const struct scan_kind kind, ptrdiff_t begin, ptrdiff_t end,
                          const int one_row)
{
    const struct scan *s = w->s;
    const int n_states = kind.is_complex ? SCAN_COMPLEX_STATES : SCAN_REAL_STATES;
    uint32_t i = 0;
    ptrdiff_t t;

    if (SCAN_IS_SCALAR(kind)) {
        const vf_rate a = { vf_load(w->at.a), vf_set1(0.0f), vf_set1(0.0f) };

        for (t = begin; t < end; t++) {
            const vf delta = vf_load(s->delta + t * s->delta_stride + w->channel);

            vf_factors(&w->formed[t - begin], &a, &delta, &delta, 1, 0);
        }
    }
    for (; i + (uint32_t)n_states <= s->n; i += (uint32_t)n_states)
        scan_states(w, kind, begin, end, i, n_states, one_row);
    for (; SCAN_STATES > 1 && i < s->n; i++)
        scan_states(w, kind, begin, end, i, 1, one_row);
}

/*
 * Everything for one vector of channels: where its arrays begin, then the steps. Without a scalar A all steps are one
 * tile. A vector that is all padding, as the last group may have with fewer lanes than 16, follows the last channel's
 * row. Two calls, so that one_row is a constant in each; vectors of one lane always have one row.
 */
VF_INLINE void scan_channels(const struct scan *s, const struct scan_kind kind, size_t channel)
{
    const size_t cx = kind.is_complex ? 2 : 1, planes = kind.compensated ? 2 * cx : cx, cc = kind.c_complex ? 2 : 1;
    /* a group's values are (n, planes, 16), so the vectors of a group begin VF_LANES apart in each plane; states:
     * values of one plane before this group */
    const size_t lane = channel % 16, group = channel / 16 * 16, states = group * s->n;
    const ptrdiff_t n_steps = (ptrdiff_t)s->n_steps, tile = SCAN_IS_SCALAR(kind) ? SCAN_TILE : n_steps;
    struct scan_vector w;
    ptrdiff_t begin, end;

    w.s = s;
    w.channel = channel;
    w.at.a = s->a;
    if (kind.a == SCAN_A_LANES)
        w.at.a = s->a + states * (kind.is_complex ? 3 : 1) + lane;
    if (SCAN_IS_SCALAR(kind))
        w.at.a = s->a + group + lane;
    w.at.inverse = kind.b_over_a ? s->a_inverse + states * cx + lane : NULL;
    w.at.b_bias = kind.b_bias ? s->b_bias + states * cx + lane : NULL;
    w.at.c = kind.c_selective ? NULL : s->c + states * cc + lane;
    w.at.x = s->x + states * planes + lane;
    find_lanes(&w.lanes, (uint32_t)(channel < s->d ? channel : s->d - 1), scan_channels_a_row(s), s->d);
    for (begin = 0; begin < n_steps; begin = end) {
        end = n_steps - begin < tile ? n_steps : begin + tile;
        if (VF_LANES > 1 && w.lanes.n_rows == 1)
            scan_steps(&w, kind, begin, end, 1);
        else
            scan_steps(&w, kind, begin, end, VF_LANES == 1);
    }
}

/* Groups first_group .. end_group - 1, a vector after another. They share nothing, so threads may divide them anyhow. */
VF_INLINE void scan_groups(const struct scan *s, const struct scan_kind kind)
{
    size_t channel;

    for (channel = (size_t)s->first_group * 16; channel < (size_t)s->end_group * 16; channel += VF_LANES)
        scan_channels(s, kind, channel);
}

/*
 * Kinds that have loops of their own: B2S6, S6 and Mamba-2, each compensated and plain, and S4D. Every other kind
 * shares two, one complex, one real, which ask at every step. The arithmetic is the same. Members in the order of struct
 * scan_kind, which is all bytes and so has no padding: kinds are compared as memory.
 *
 *     is_complex, hold, compensated, a, delta_constant, b_weight, b_bias, c_selective, c_complex, b_over_a
 */
#if B2S6_HAS_MAMBA2
#  define SCAN_MAMBA2_KINDS(own) \
    own({ 0, 0, 1, SCAN_A_SCALAR, 0, 1, 0, 1, 0, 0 }) own({ 0, 0, 0, SCAN_A_SCALAR, 0, 1, 0, 1, 0, 0 })
#else
#  define SCAN_MAMBA2_KINDS(own)
#endif
#define SCAN_KINDS(own)                                     \
    own({ 1, 1, 1, SCAN_A_SHARED, 0, 1, 1, 1, 0, 0 })       \
    own({ 1, 1, 0, SCAN_A_SHARED, 0, 1, 1, 1, 0, 0 })       \
    own({ 0, 0, 1, SCAN_A_LANES, 0, 1, 0, 1, 0, 0 })        \
    own({ 0, 0, 0, SCAN_A_LANES, 0, 1, 0, 1, 0, 0 })        \
    SCAN_MAMBA2_KINDS(own)                                  \
    own({ 1, 1, 1, SCAN_A_LANES, 1, 0, 1, 0, 1, 1 })

/* Copies the loops for one kind: own is a constant, so every question about it is answered by the compiler. */
#define SCAN_OWN(...)                                                   \
    {                                                                   \
        static const struct scan_kind own = __VA_ARGS__;                \
        if (memcmp(&s->kind, &own, sizeof own) == 0) {                  \
            scan_groups(s, own);                                        \
            return;                                                     \
        }                                                               \
    }

/*
 * The one of the table. In a build without other units every member but compensated is a constant here too. is_complex
 * is made a constant in either branch, whatever the build: it decides what is in registers. Kinds have no loops of
 * their own with one lane, or where the fused operation is a function: it is long by itself, so that questions hardly
 * matter, and code that repeats it is large.
 */
static void KERNEL(scan)(const struct scan *s)
{
    static const struct scan_kind b2s6 = { 1, 1, 0, SCAN_A_SHARED, 0, 1, 1, 1, 0, 0 };
    /* what the rest of the kinds share */
    struct scan_kind kind = B2S6_HAS_OTHER_UNITS ? s->kind : b2s6;

#if VF_LANES > 1 && VF_FUSED
    SCAN_KINDS(SCAN_OWN)
#endif
    /* asked for at run time, in a build of B2S6 alone, too */
    kind.compensated = s->kind.compensated;
    kind.is_complex = B2S6_HAS_COMPLEX;
    if (B2S6_HAS_COMPLEX && (!B2S6_HAS_REAL || s->kind.is_complex)) {
        scan_groups(s, kind);
    } else if (B2S6_HAS_REAL) {
        kind.is_complex = 0;
        scan_groups(s, kind);
    }
}
