/* The kernels in plain C: one lane at a time. */
#include "../kernels.h"

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

#define KERNELS b2s6_kernels_portable
#define KERNELS_NAME "portable"
#define INTEGER(name) name
#define QUANTIZE quantize
#include "../kernel/table.h"
