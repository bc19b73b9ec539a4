/* elementary_fma_double.c - src/kernel/elementary.h for plain C, fma made from double */
#define B2S6_SOFT_FMA_DOUBLE 1
#include "../src/portable/vec.h"
#define ELEMENTARY_NAME elementary_fma_double
#define ELEMENTARY_ISA "fma_double"
#include "elementary_isa.h"
