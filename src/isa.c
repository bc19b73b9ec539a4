#include "isa.h"

static int always(void)
{
    return 1;
}

static const struct isa portable = { &b2s6_kernels_portable, always };

static const struct isa *isa_at(size_t index)
{
    size_t i;

    if (index == 0)
        return &portable;
    for (i = 0; i < index; i++)
        if (!b2s6_family_isas[i].kernels)
            return NULL; /* the list ends before it */
    return &b2s6_family_isas[index - 1];
}

const char *b2s6_isa_name(size_t index)
{
    const struct isa *isa = isa_at(index);

    return isa ? isa->kernels->name : NULL;
}

int b2s6_isa_is_available(size_t index)
{
    const struct isa *isa = isa_at(index);

    return isa ? isa->is_available() : 0;
}

const struct b2s6_kernels *b2s6_isa_choose(const char *cap)
{
    const struct b2s6_kernels *best = NULL;
    const struct isa *isa;
    size_t i;

    for (i = 0; (isa = isa_at(i)) != NULL; i++) {
        if (isa->is_available())
            best = isa->kernels;
        if (cap && b2s6_compare_text(isa->kernels->name, cap) == 0)
            return isa->is_available() ? isa->kernels : NULL;
    }
    return cap ? NULL : best;
}
