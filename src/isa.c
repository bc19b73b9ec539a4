#include "isa.h"

static int always(void)
{
    return 1;
}

static const struct isa portable = { &b2s6_kernels_portable, always, NULL };

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

/* Only what is chosen is prepared: that may change the process (AMX). */
static int is_ready(const struct isa *isa)
{
    return isa->is_available() && (!isa->prepare || isa->prepare());
}

const struct b2s6_kernels *b2s6_isa_choose(const char *cap)
{
    const struct isa *isa;
    size_t i = 0;

    if (cap) {
        while ((isa = isa_at(i)) != NULL && b2s6_compare_text(isa->kernels->name, cap) != 0)
            i++;
        return isa && is_ready(isa) ? isa->kernels : NULL;
    }
    while (isa_at(i))
        i++;
    while (i-- > 0)
        if (is_ready(isa_at(i)))
            return isa_at(i)->kernels;
    return NULL;
}
