/*
 * elementary_isa.h - one table of tests/elementary.h; include after a vec_*.h and with ELEMENTARY_NAME defined
 */
#include "../src/kernel/elementary.h"
#include "elementary.h"

#define UNARY(name)                                                  \
    static void run_##name(const float *x, float *y, size_t n)       \
    {                                                                \
        for (size_t i = 0; i < n; i += VF_LANES)                     \
            vf_store(y + i, vf_##name(vf_load(x + i)));              \
    }

UNARY(exp)
UNARY(softplus)
UNARY(sigmoid)
UNARY(silu)
UNARY(gelu)

static void run_factors(const float *delta, const float *decay, const float *turn, const float *turn_lo, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES) {
        const vf_rate a = { vf_load(decay + i), vf_load(turn + i), vf_load(turn_lo + i) };
        const vf x = vf_load(delta + i);
        vf_factor g, real;
        vf_factors(&g, &a, &x, &x, 1, 1);
        vf_factors(&real, &a, &x, &x, 1, 0);
        vf_store(out + i, g.scale);
        vf_store(out + n + i, g.re);
        vf_store(out + 2 * n + i, g.im);
        vf_store(out + 3 * n + i, real.scale);
        vf_store(out + 4 * n + i, real.re);
    }
}

static void run_fma(const float *a, const float *b, const float *c, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES) {
        vf_store(out + i, vf_fma(vf_load(a + i), vf_load(b + i), vf_load(c + i)));
        vf_store(out + n + i, vf_fnma(vf_load(a + i), vf_load(b + i), vf_load(c + i)));
        vf_store(out + 2 * n + i, vf_fms(vf_load(a + i), vf_load(b + i), vf_load(c + i)));
    }
}

/* Every operation of the layer leaves its mark; the masks as what they select. */
static void run_layer(const float *a, const float *b, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES) {
        const vf x = vf_load(a + i), y = vf_load(b + i), one = vf_set1(1.0f), two = vf_set1(2.0f), four = vf_set1(4.0f);
        const vi u = vf_bits(x), v = vf_bits(y);
        vf masks = vf_zero_unless(vf_lt(x, y), one);
        masks = vf_add(masks, vf_zero_unless(vf_le(x, y), two));
        masks = vf_add(masks, vf_zero_unless(vf_gt(x, y), four));
        masks = vf_add(masks, vf_zero_unless(vf_eq(x, y), vf_set1(8.0f)));
        masks = vf_add(masks, vf_zero_unless(vf_not_lt(x, y), vf_set1(16.0f)));
        masks = vf_add(masks, vf_zero_unless(vf_is_nan(x), vf_set1(32.0f)));
        masks = vf_add(masks, vf_zero_unless(vm_and(vf_lt(x, y), vm_not(vi_lt(u, v))), vf_set1(64.0f)));
        masks = vf_add(masks, vf_zero_unless(vm_or(vi_eq(u, v), vf_is_nan(y)), vf_set1(128.0f)));
        vf_store(out + i, vf_add(x, y));
        vf_store(out + n + i, vf_sub(x, y));
        vf_store(out + 2 * n + i, vf_mul(x, y));
        vf_store(out + 3 * n + i, vf_div(x, y));
        vf_store(out + 4 * n + i, vf_sqrt(x));
        vf_store(out + 5 * n + i, vf_min(vf_abs(x), vf_neg(y)));
        vf_store(out + 6 * n + i, vf_max(vf_flip_sign(x, v), y));
        vf_store(out + 7 * n + i, masks);
        vf_store(out + 8 * n + i, vf_from_int(vi_sub(vi_shr_arith(u, 3), vi_shr_logical(v, 5))));
        vf_store(out + 9 * n + i,
                 vf_select(vi_lt(u, v), vf_from_int(vi_xor(vf_nearest_int(vf_select(vf_is_nan(x), one, x)), vi_shl(vi_or(u, v), 3))),
                           vf_from_int(vi_select(vi_eq(vi_and(u, vi_set1(1)), vi_set1(0)), vi_add(u, v), v))));
    }
}

extern const elementary_table ELEMENTARY_NAME;
const elementary_table ELEMENTARY_NAME = {
    ELEMENTARY_ISA, { run_exp, run_softplus, run_sigmoid, run_silu, run_gelu },
    run_factors, run_fma, run_layer,
};

#include "../src/kernel/isa_end.h"
