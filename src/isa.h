/* The instruction sets that are compiled in, and which of them this machine runs. */
#ifndef B2S6_ISA_H
#define B2S6_ISA_H

#include "kernels.h"

struct isa {
    const struct b2s6_kernels *kernels;
    int (*is_available)(void); /* asks the processor, and the operating system where registers must be saved; changes nothing */
    int (*prepare)(void);      /* before the first use: gets what the system gives only to who asks for it. NULL: nothing */
};

/*
 * What the machine's family has beyond portable C, weakest first, ended by an entry of NULLs. Exactly one of
 * src/<family>/isas.c defines it.
 */
extern B2S6_INTERNAL const struct isa b2s6_family_isas[];

/* The strongest instruction set that this machine runs, or if cap is not NULL the strongest up to the one of that name.
 * NULL if no such name is compiled in, or the machine cannot run it. */
B2S6_INTERNAL const struct b2s6_kernels *b2s6_isa_choose(const char *cap);

#endif
