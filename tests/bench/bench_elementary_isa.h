/* bench_elementary_isa.h - a table of bench_elementary.h; include after a vec_*.h of src, with TABLE and TABLE_ISA defined */
#include "src/kernel/elementary.h"
#include "bench_elementary.h"

static void exponential(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES)
        vf_store(y + i, vf_exp(vf_load(x + i)));
}

/* Turns as a layer shares them: the same for all lanes. */
static void factors(const float *delta, float *y, size_t n)
{
    const vf_rate a = { vf_set1(-0.7f), vf_set1(2.5f), vf_set1(0x1p-26f) };
    for (size_t i = 0; i < n; i += VF_LANES) {
        const vf x = vf_load(delta + i);
        vf_factor g;
        vf_factors(&g, &a, &x, &x, 1, 1);
        vf_store(y + i, vf_mul(g.scale, g.re));
        vf_store(y + n + i, vf_mul(g.scale, g.im));
    }
}

extern const bench_elementary TABLE;
const bench_elementary TABLE = { TABLE_ISA, exponential, factors };

#include "src/kernel/isa_end.h"
