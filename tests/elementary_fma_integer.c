/* elementary_fma_integer.c - src/kernel/elementary.h for plain C, fma and square root made from integers */
#define B2S6_SOFT_FMA_INTEGER 1
#define B2S6_SOFT_SQRT 1
#include "../src/portable/vec.h"
#define ELEMENTARY_NAME elementary_fma_integer
#define ELEMENTARY_ISA "fma_integer"
#include "elementary_isa.h"
