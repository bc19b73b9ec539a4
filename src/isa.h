/*
 * The instruction sets that are compiled in, and which of them this machine runs. Number 0 is always
 * portable C; the others are those of the machine's family, from src/x86, src/arm or, for all other
 * machines, an empty list. All give the same bits, so the choice is about speed alone. It is made once for
 * each model, when the model is opened.
 */
#ifndef B2S6_ISA_H
#define B2S6_ISA_H

#include "kernels.h"

/*
 * One instruction set. Asking and preparing are two steps, since hosts may list what is available without
 * changing their process.
 */
struct isa {
    const struct b2s6_kernels *kernels;
    /* Asks the processor, and the operating system where registers must be saved; changes nothing. */
    int (*is_available)(void);
    /* Before the first use: gets what the system gives only to who asks for it. NULL: nothing. */
    int (*prepare)(void);
};

/*
 * What the machine's family has beyond portable C, weakest first, ended by an entry of NULLs. Exactly one of
 * src/<family>/isas.c defines it.
 */
extern B2S6_INTERNAL const struct isa b2s6_family_isas[];

/*
 * The instruction set of this name, or for NULL the strongest that this machine runs. NULL if no such name is
 * compiled in, or the machine cannot run it: a host that names one means that one and no other.
 */
B2S6_INTERNAL const struct b2s6_kernels *b2s6_isa_choose(const char *name);

#endif
