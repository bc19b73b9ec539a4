/*
 * The kernels for NEON with its dot product (ARMv8.2), which only products of integers use. Functions of floats are
 * compiled once more here: the text of kernels_neon.c, with the same bits. The order of includes is that of need;
 * dot.h is before quantize.h, which uses its codes_store.
 */
#include "../kernels.h"

#if defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__GNUC__) && B2S6_HAS_ISAS

/* Before the region: its functions bring their own targets along. */
#include <arm_neon.h>

#if !defined(__ARM_FEATURE_DOTPROD) /* nothing to ask for if all of the program may use it */
#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif
#endif

/* Symbols end in _neondot, and the table is b2s6_kernels_neondot. */
#define ISA neondot
#define INTEGER_ISA neondot
#include "../kernel/names.h"

#include "vec_neon.h"
#include "../kernel/elementary.h"
#include "stored_neon.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "dot.h"
#include "../kernel/quantize.h"

/* Codes as dot.h's codes_store has them. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
