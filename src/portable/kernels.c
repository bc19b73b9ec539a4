/*
 * The kernels in plain C, one lane at a time: the table b2s6_kernels_portable. Every build has them, and a machine
 * without others, or a small build, runs on them; all other tables must give their bits. The order of includes is that
 * of need: each text uses names of those before it.
 */
#include "../kernels.h"

/* Symbols end in _portable. */
#define ISA portable
#define INTEGER_ISA portable
#include "../kernel/names.h"

#include "vec.h"
#include "../kernel/elementary.h"
#include "stored.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
/*
 * Without constant steps and other instruction sets there is nothing that the longer text does faster: that forms the
 * factors of constant steps once, and shares its text with vectors.
 */
#if defined(B2S6_SMALL) || (!B2S6_HAS_OTHER_UNITS && !B2S6_HAS_ISAS)
#include "../kernel/scan_small.h"
#else
#include "../kernel/scan.h"
#endif
#include "../kernel/quantize.h"
#include "integer.h"

/* Codes in order, as integer.h reads them. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"
