/*
 * Lists the instruction sets and chooses one. The list of the machine's family ends with an entry of NULLs
 * and its length is known nowhere else, so adding an instruction set is a line in its isas.c. No result is
 * remembered: the library has no global variables, and asking the
 * processor again is little beside opening a file.
 */
#include "isa.h"

/* Plain C runs wherever the library does. */
static int always(void)
{
    return 1;
}

static const struct isa portable = { &b2s6_kernels_portable, always, NULL };

/*
 * Entry number index, strongest last; NULL beyond the end. The list is walked, so that an index from a
 * host, however large, reads nothing after the entry of NULLs.
 */
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

/*
 * Whether a model can use it now. Only what is about to be chosen is prepared: that may change the process
 * (AMX asks Linux for its registers), and the system may say no.
 */
static int is_ready(const struct isa *isa)
{
    return isa->is_available() && (!isa->prepare || isa->prepare());
}

/*
 * Without a name from the strongest down to the first that is ready. Portable C is always ready, so NULL
 * comes only of a name. If the system refuses what an instruction set needs, the next weaker one is taken:
 * the bits are the same.
 */
const struct b2s6_kernels *b2s6_isa_choose(const char *name)
{
    const struct isa *isa;
    size_t i = 0;

    /* by name, exactly; preparing comes last, when it is known which */
    if (name) {
        while ((isa = isa_at(i)) != NULL && b2s6_compare_text(isa->kernels->name, name) != 0)
            i++;
        return isa && is_ready(isa) ? isa->kernels : NULL;
    }
    /* i becomes one more than the last index */
    while (isa_at(i))
        i++;
    while (i-- > 0)
        if (is_ready(isa_at(i)))
            return isa_at(i)->kernels;
    return NULL;
}
