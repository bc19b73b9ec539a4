/* The instruction sets of x86-64, and how to ask for them. */
#include "../isa.h"

#if defined(__GNUC__) && defined(__x86_64__) && B2S6_HAS_ISAS

#include <cpuid.h>

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_sse2, b2s6_kernels_avx2, b2s6_kernels_avx512;

enum { LEAF1_ECX_FMA = 1 << 12, LEAF1_ECX_OSXSAVE = 1 << 27, LEAF1_ECX_AVX = 1 << 28 };
enum { LEAF7_EBX_AVX2 = 1 << 5, LEAF7_EBX_AVX512F = 1 << 16, LEAF7_EBX_AVX512DQ = 1 << 17 };
#define LEAF7_EBX_AVX512BW (1u << 30)
#define LEAF7_EBX_AVX512VL (1u << 31)

/* Register sets that the operating system saves at a task switch: XMM and YMM; and with them opmask and both halves of ZMM. */
enum { SAVES_YMM = 0x06, SAVES_ZMM = 0xe6 };

static unsigned saved_registers(void)
{
    unsigned eax, ebx, ecx, edx;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & LEAF1_ECX_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

static int has_sse2(void)
{
    return 1;
}

static int has_avx2(void)
{
    const unsigned need1 = LEAF1_ECX_FMA | LEAF1_ECX_AVX;
    unsigned eax, ebx, ecx, edx;

    if ((saved_registers() & SAVES_YMM) != SAVES_YMM)
        return 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & need1) != need1)
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & LEAF7_EBX_AVX2);
}

static int has_avx512(void)
{
    const unsigned need = (unsigned)LEAF7_EBX_AVX512F | (unsigned)LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL;
    unsigned eax, ebx, ecx, edx;

    if (!has_avx2() || (saved_registers() & SAVES_ZMM) != SAVES_ZMM)
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & need) == need;
}

const struct isa b2s6_family_isas[] = {
    { &b2s6_kernels_sse2, has_sse2 },
    { &b2s6_kernels_avx2, has_avx2 },
    { &b2s6_kernels_avx512, has_avx512 },
    { NULL, NULL }
};

#endif
