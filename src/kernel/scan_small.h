/*
 * The recurrence for small builds: the operations of scan.h in the same order, for one channel and one state after
 * another. Include after portable/vec.h, elementary.h and product.h (PRODUCT_UNROLL). Which of the two a build has,
 * portable/kernels.c says; callers see the same function of the table.
 *
 * All of an update is in one loop whose values are locals, so that a processor with few registers and no cache reads
 * A, B, C and the state once, writes the state once, and passes nothing through memory. scan.h, built for a single
 * lane, carries some dozen values of a state from function to function; on a Cortex-M they were reloaded from the
 * stack at every step.
 *
 * A factor is formed anew at every step, also where delta is constant, and a constant B is divided by A each time: the
 * bits are those of doing it once, a single step takes as long, and there is less code.
 *
 * Arrays are those of struct scan (kernels.h): lanes are (groups, n, planes, 16), so the next plane of a channel is 16
 * floats on and the next state planes * 16. Channels beyond d are computed too, from what their padding holds, into
 * padding.
 */

/*
 * Inlined whatever its length, where VF_INLINE leaves that to the compiler: as a call it would pass its values through
 * the stack.
 */
#if defined(__GNUC__)
#  define VF_FLAT static inline __attribute__((always_inline, unused))
#else
#  define VF_FLAT static inline
#endif

/*
 * c[0] x^(n-1) + ... + c[n-1] by Horner's rule, highest degree first; n is a constant of the call. Where the fused
 * operation is a function, so is this; where it is an instruction, the loop vanishes and the coefficients are
 * constants of the code.
 */
#if VF_FUSED
#  define SCAN_HORNER VF_FLAT
#  define SCAN_UNROLL PRODUCT_UNROLL
#elif defined(__GNUC__)
#  define SCAN_HORNER static __attribute__((noinline, unused))
#  define SCAN_UNROLL
#else
#  define SCAN_HORNER static
#  define SCAN_UNROLL
#endif

SCAN_HORNER vf scan_horner(const float *c, const int n, vf x)
{
    vf y = c[0];
    int i;

    SCAN_UNROLL for (i = 1; i < n; i++)
        y = vf_fma(y, x, c[i]);
    return y;
}

/*
 * P, S and C of docs/arithmetic.md, the polynomials of a factor, highest degree first; the same numbers as in
 * vf_factors, and must stay so: 2^f - 1 = f P(f), sin(pi r) = r (PI_HI + S(r^2)), cos(pi r) - 1 = r^2 C(r^2).
 */
enum { SCAN_P_TERMS = 6, SCAN_S_TERMS = 6, SCAN_C_TERMS = 5 };
/* p: P, of f. s, c: S and C, of z = r^2. */
static const float scan_p[SCAN_P_TERMS] = { 0x1.4297e4p-13f, 0x1.5ef142p-10f, 0x1.3b2c3cp-7f, 0x1.c6afa4p-5f, 0x1.ebfbdep-3f,
                                            0x1.62e43p-1f };
static const float scan_s[SCAN_S_TERMS] = { -0x1.bb83e8p-8f, 0x1.4f6a9cp-4f, -0x1.32cca8p-1f, 0x1.466ba8p+1f, -0x1.4abbcep+2f,
                                            -0x1.77c8bap-24f };
static const float scan_c[SCAN_C_TERMS] = { -0x1.835afap-6f, 0x1.e0484ep-3f, -0x1.55cb4ap+0f, 0x1.03c1cep+2f,
                                            -0x1.3bd3ccp+2f };

/* What a channel's states share at one step: turning is min(limit, delta), delta_u is delta u (Euler). */
struct scan_step {
    vf u, delta, turning, delta_u;
};

/*
 * vf_factors (elementary.h) of one state, whose A's parts (decay; if complex also turn and turn_lo) are a_stride
 * floats apart: 1 of an A of the layer, 16 in lanes. The same operations in the same order of each chain; only their
 * interleaving differs, which no bit shows.
 */
VF_FLAT vf_factor scan_factor(const float *a, const size_t a_stride, const struct scan_step *now, const int is_complex)
{
    /* e^(Re z) = 2^k (1 + p): k is the nearest integer of delta decay, at least -126, and f what is left, at least -1 */
    const vf rounded = vf_max(vf_set1(VF_EXP2_MAGIC - 126), vf_fma(now->delta, a[0], vf_set1(VF_EXP2_MAGIC)));
    const vf f = vf_max(vf_set1(-1.0f), vf_fms(now->delta, a[0], vf_sub(rounded, vf_set1(VF_EXP2_MAGIC))));
    const vf p = vf_mul(f, scan_horner(scan_p, SCAN_P_TERMS, f));
    vf_factor g;

    g.scale = vf_from_bits(vi_shl(vf_bits(rounded), 23));
    g.re = p;
    g.im = vf_set1(0.0f);
    if (is_complex) {
        /* the nearest number of half turns, and r what is left of the angle, |r| <= 1/2 */
        const vf turn = a[a_stride], half_turns = vf_fma(now->turning, turn, vf_set1(VF_ROUND_MAGIC));
        const vf r = vf_fms(now->turning, turn, vf_sub(half_turns, vf_set1(VF_ROUND_MAGIC))), z = vf_mul(r, r);
        const vf s = scan_horner(scan_s, SCAN_S_TERMS, z), c = scan_horner(scan_c, SCAN_C_TERMS, z);
        /* w: what rounding took from turn, in radians; it enters the last rounding of sine and versine */
        const vf w = vf_mul(now->turning, a[2 * a_stride]), cosine = vf_fma(c, z, vf_set1(1.0f));
        const vf sine = vf_fma(r, vf_set1(VF_PI_HI), vf_fma(w, cosine, vf_mul(r, s)));

        /* an odd number of half turns is a factor of -1 */
        g.scale = vf_from_bits(vi_xor(vf_bits(g.scale), vi_shl(vf_bits(half_turns), 31)));
        /* (1 + p) e^(i angle) - 1, with c z - w sine for cosine - 1: the difference itself would cancel */
        g.re = vf_fma(p, cosine, vf_fms(c, z, vf_mul(w, sine)));
        g.im = vf_fma(p, sine, sine);
    }
    return g;
}

/*
 * B of one state: that of the block's row, the channel's bias, 1 / A, as finish_input and divide_by_a of scan.h. row:
 * B re at 0, B im n floats on; bias and inverse: parts 16 floats apart. Each is read only if the kind has it, and may
 * be NULL otherwise.
 */
VF_FLAT void scan_b(vf *b_re, vf *b_im, const struct scan_kind kind, const float *row, uint32_t n, const float *bias,
                    const float *inverse)
{
    /* weight and bias are added if both exist; else the one that does is B */
    vf re = kind.b_weight ? row[0] : bias[0], im = vf_set1(0.0f);

    if (kind.is_complex)
        im = kind.b_weight ? row[n] : bias[16];
    if (kind.b_weight && kind.b_bias) {
        re = vf_add(re, bias[0]);
        if (kind.is_complex)
            im = vf_add(im, bias[16]);
    }
    *b_re = re;
    *b_im = im;
    if (kind.b_over_a) {
        if (kind.is_complex) {
            *b_re = vf_fms(re, inverse[0], vf_mul(im, inverse[16]));
            *b_im = vf_fma(re, inverse[16], vf_mul(im, inverse[0]));
        } else {
            *b_re = vf_mul(re, inverse[0]);
        }
    }
}

/*
 * move_part of scan.h: returns the new value of a part, scale (x + d) + outer b; *lo, of compensated states only,
 * becomes what the roundings lost. d includes x if the state is plain.
 */
VF_FLAT vf scan_move(vf x, vf *lo, const struct scan_kind kind, vf scale, vf d, vf outer, vf b)
{
    const vf y = kind.compensated ? vf_add(x, d) : d, moved = vf_scaled_add(scale, y, vf_mul(outer, b));

    if (kind.compensated) {
        /* what the rounding of x + d lost; with Euler lo also takes what the last sum lost */
        const vf lost = vf_sub(d, vf_sub(y, x));

        *lo = kind.hold ? vf_mul(scale, lost) : vf_scaled_add(scale, lost, vf_fma(outer, b, vf_scaled_sub(scale, y, moved)));
    }
    return moved;
}

/*
 * One step of one state at x, whose parts are 16 floats apart: re, im, re_lo, im_lo as far as they exist. All of it is
 * read before any of it is written, so re and im of one step come from the same state.
 */
VF_FLAT void scan_update(float *x, const struct scan_kind kind, vf_factor g, vf b_re, vf b_im, const struct scan_step *now)
{
    /* planes: re, im, re_lo, im_lo, or re, re_lo */
    const size_t lo = kind.is_complex ? 32 : 16;
    /* as step_state of scan.h: outer multiplies B after scale, v is multiplied by g, g v is added to from */
    const vf outer = kind.hold ? vf_mul(vf_sub(g.scale, vf_set1(1.0f)), now->u) : now->delta_u;
    const vf x_re = x[0], from_re = kind.compensated ? x[lo] : x_re, v_re = kind.hold ? vf_fma(b_re, now->u, x_re) : x_re;
    /* what a kind has not stays 0 and is not stored */
    vf re, im = vf_set1(0.0f), re_lo = im, im_lo = im;
    int live;

    if (kind.is_complex) {
        const vf x_im = x[16], from_im = kind.compensated ? x[48] : x_im, v_im = kind.hold ? vf_fma(b_im, now->u, x_im) : x_im;
        const vf d_re = vf_fma(g.re, v_re, vf_fnma(g.im, v_im, from_re));
        const vf d_im = vf_fma(g.re, v_im, vf_fma(g.im, v_re, from_im));

        /* both parts of d are from the old state; now the parts move */
        re = scan_move(x_re, &re_lo, kind, g.scale, d_re, outer, b_re);
        im = scan_move(x_im, &im_lo, kind, g.scale, d_im, outer, b_im);
    } else {
        re = scan_move(x_re, &re_lo, kind, g.scale, vf_fma(g.re, v_re, from_re), outer, b_re);
    }
    /* states of less than 2^-95 are zero, all parts at once; without complex states im has no bits */
    live = ((vf_bits(re) | vf_bits(im)) & 0x70000000) != 0;
    x[0] = live ? re : 0.0f;
    if (kind.is_complex)
        x[16] = live ? im : 0.0f;
    if (kind.compensated)
        x[lo] = live ? re_lo : 0.0f;
    if (kind.compensated && kind.is_complex)
        x[48] = live ? im_lo : 0.0f;
}

/*
 * Where the parts of one channel are, each pointer at the first state's value; a copy walks through the states at
 * every step. Pointers of what a kind has not are NULL and stay so: adding to NULL would be undefined.
 */
struct scan_channel {
    const float *a, *inverse, *b_bias, *c;
    float *x;
};

/*
 * One step of all states of a channel: returns Re(C x), states in ascending order from +0, as in scan.h. bc: the
 * channel's row of B and C at this step, NULL if neither is selective. It walks to the next state by one float, as B
 * re, B im, C re and C im of a state are n floats apart; c_at is where C begins.
 */
VF_FLAT vf scan_channel_step(const struct scan *s, const struct scan_kind kind, struct scan_channel at, const float *bc,
                             const struct scan_step *now)
{
    const size_t cx = kind.is_complex ? 2 : 1, planes = kind.compensated ? 2 * cx : cx, a_planes = kind.is_complex ? 3 : 1;
    const size_t a_stride = kind.a == SCAN_A_SHARED ? 1 : 16, c_stride = kind.c_complex ? 32 : 16;
    const uint32_t n = s->n, c_at = kind.b_weight ? n * (uint32_t)cx : 0;
    vf_factor g;
    vf sum = vf_set1(0.0f);
    uint32_t i;

    /* one real A: its factor does not depend on the state */
    if (SCAN_IS_SCALAR(kind)) /* serves all states */
        g = scan_factor(at.a, 1, now, 0);
    /* in order: the sum over states is a chain */
    for (i = 0; i < n; i++) {
        vf b_re, b_im, c_re, c_im = sum;

        /* a complex A has three planes: decay, turn, turn_lo */
        if (!SCAN_IS_SCALAR(kind)) {
            /* a factor for each state: of an A of the layer it is the same in all channels, and formed anew in each */
            g = scan_factor(at.a, a_stride, now, kind.is_complex);
            at.a += a_planes * a_stride;
        }
        /* bc is at this state's B re */
        scan_b(&b_re, &b_im, kind, bc, n, at.b_bias, at.inverse);
        /* x first, then its share of the output: y sees this step's input */
        scan_update(at.x, kind, g, b_re, b_im, now);
        c_re = kind.c_selective ? bc[c_at] : at.c[0];
        sum = vf_fma(c_re, at.x[0], sum);
        if (kind.c_complex) {
            c_im = kind.c_selective ? bc[c_at + n] : at.c[16];
            sum = vf_fnma(c_im, at.x[16], sum);
        }
        /* on to the next state, of what the kind has */
        at.x += planes * 16;
        /* one float on in a row is the next state's B re, and every other part's too */
        if (kind.b_weight || kind.c_selective)
            bc++;
        if (kind.b_bias)
            at.b_bias += cx * 16;
        if (kind.b_over_a)
            at.inverse += cx * 16;
        if (!kind.c_selective)
            at.c += c_stride;
    }
    return sum;
}

/*
 * All steps of one channel, padding included: x goes on, y is written. Its row of bc is that of its block, or
 * of a group of them; a channel of the padding reads the last channel's row. Strides are signed: a unit that
 * runs backwards walks from the last row.
 */
VF_FLAT void scan_channel(const struct scan *s, const struct scan_kind kind, size_t channel)
{
    const size_t cx = kind.is_complex ? 2 : 1, planes = kind.compensated ? 2 * cx : cx, cc = kind.c_complex ? 2 : 1;
    /* a group's values are (n, planes, 16) */
    /* states: values of one plane before this group, whose first channel is channel - lane */
    const size_t lane = channel % 16, states = (channel - lane) * s->n;
    const uint32_t last = s->d - 1, row = (channel < last ? (uint32_t)channel : last) / scan_channels_a_row(s);
    /* the row's place within a step; bc_stride leads from step to step */
    const float *bc = kind.b_weight || kind.c_selective ? s->bc + (size_t)row * s->bc_width : NULL;
    struct scan_channel at;
    ptrdiff_t t;

    /* of an A of the layer all channels read the same; in lanes each its own; of scalar A one value a channel */
    at.a = s->a;
    if (kind.a == SCAN_A_LANES)
        at.a = s->a + states * (kind.is_complex ? 3 : 1) + lane;
    if (SCAN_IS_SCALAR(kind))
        at.a = s->a + channel;
    /* the others are in lanes, or the kind has them not: NULL then, never advanced and never read */
    at.inverse = kind.b_over_a ? s->a_inverse + states * cx + lane : NULL;
    at.b_bias = kind.b_bias ? s->b_bias + states * cx + lane : NULL;
    at.c = kind.c_selective ? NULL : s->c + states * cc + lane;
    at.x = s->x + states * planes + lane;
    for (t = 0; t < (ptrdiff_t)s->n_steps; t++) {
        struct scan_step now;
        vf sum;

        /* t is signed, as the strides are */
        now.u = s->u[t * s->u_stride + (ptrdiff_t)channel];
        now.delta = s->delta[t * s->delta_stride + (ptrdiff_t)channel];
        now.turning = vf_min(s->turn_limit, now.delta);
        now.delta_u = vf_mul(now.delta, now.u);
        /* y = s Re(C x) + D u */
        sum = vf_mul(s->scale, scan_channel_step(s, kind, at, bc ? bc + t * s->bc_stride : NULL, &now));
        if (s->skip)
            sum = vf_fma(s->skip[channel], now.u, sum);
        s->y[t * s->y_stride + (ptrdiff_t)channel] = sum;
    }
}

/* Groups first_group .. end_group - 1, channel by channel. Channels share nothing that is written. */
VF_FLAT void scan_groups(const struct scan *s, const struct scan_kind kind)
{
    size_t channel;

    for (channel = (size_t)s->first_group * 16; channel < (size_t)s->end_group * 16; channel++)
        scan_channel(s, kind, channel);
}

/*
 * The one of the table. What the build leaves out, and is_complex in either branch, are constants, so that one loop is
 * left in a build of B2S6 alone. The order of the members of b2s6 is that of struct scan_kind: complex, zero-order
 * hold, plain until s says otherwise, one A a layer, delta that varies, B of weight and bias, C selective and real, B
 * divided in the file.
 */
static void KERNEL(scan)(const struct scan *s)
{
    static const struct scan_kind b2s6 = { 1, 1, 0, SCAN_A_SHARED, 0, 1, 1, 1, 0, 0 };
    /* of B2S6 alone every question about a kind is answered by the compiler */
    struct scan_kind kind = B2S6_HAS_OTHER_UNITS ? s->kind : b2s6;

    /* asked for at run time, in a build that has both */
    kind.compensated = B2S6_HAS_COMPENSATED && s->kind.compensated;
    kind.is_complex = B2S6_HAS_COMPLEX;
    if (B2S6_HAS_COMPLEX && (!B2S6_HAS_REAL || s->kind.is_complex)) {
        scan_groups(s, kind);
    } else if (B2S6_HAS_REAL) {
        kind.is_complex = 0;
        scan_groups(s, kind);
    }
}
