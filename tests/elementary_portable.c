/* elementary_portable.c - src/kernel/elementary.h for plain C */
#include "../src/portable/vec.h"
#define ELEMENTARY_NAME elementary_portable
#define ELEMENTARY_ISA "portable"
#include "elementary_isa.h"
