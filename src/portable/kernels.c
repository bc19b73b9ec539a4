/* The kernels in plain C: one lane at a time. */
#include "../kernels.h"

#define ISA portable
#define INTEGER_ISA portable
#include "../kernel/names.h"

#include "vec.h"
#include "../kernel/elementary.h"
#include "stored.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
/* Without constant steps and other instruction sets there is nothing that the longer text does faster. */
#if defined(B2S6_SMALL) || (!B2S6_HAS_OTHER_UNITS && !B2S6_HAS_ISAS)
#include "../kernel/scan_small.h"
#else
#include "../kernel/scan.h"
#endif
#include "../kernel/quantize.h"
#include "integer.h"

#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"
