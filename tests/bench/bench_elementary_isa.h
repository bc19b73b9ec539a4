/* bench_elementary_isa.h - one table of bench_elementary.h; include after a vec_*.h of src, with TABLE and TABLE_ISA defined */
#include "src/elementary.h"
#include "bench_elementary.h"

static void exponential(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES)
        vf_store(y + i, vf_exp(vf_load(x + i)));
}

static void sine_cosine(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VF_LANES) {
        vf sine, cosine, cosine_m1;
        vf_cis_product(vf_load(x + i), vf_set1(2.5f), vf_set1(0.0f), &sine, &cosine, &cosine_m1);
        vf_store(y + i, sine);
        vf_store(y + n + i, cosine);
    }
}

extern const bench_elementary TABLE;
const bench_elementary TABLE = { TABLE_ISA, exponential, sine_cosine };

#include "src/isa_end.h"
