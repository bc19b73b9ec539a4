/*
 * The instruction sets of x86-64, and how to ask for them. Called when a model is opened, or when a host asks what
 * there is (isa.c). Two things must hold: that the processor has the instructions (cpuid), and that the operating
 * system saves the registers at a task switch (xgetbv); a processor alone would give wrong results now and then. What
 * was found is not kept: the library has no global state, and asks seldom.
 *
 * Each set includes those before it in the list, so the strongest that is there is the best. Code of a set is only in
 * its own kernels_*.c: this file is compiled for any x86-64.
 */
#if defined(__linux__)
#  define _DEFAULT_SOURCE /* syscall */
#endif
#include "../isa.h"

#if defined(__GNUC__) && defined(__x86_64__) && B2S6_HAS_ISAS

#include <cpuid.h>

#if defined(__linux__) && !defined(B2S6_FREESTANDING)
#  include <sys/syscall.h>
#  include <unistd.h>
#endif

/* The tables of the kernels_*.c beside this file. */
extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_sse2, b2s6_kernels_avx2, b2s6_kernels_avx512;
extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_avx512vnni, b2s6_kernels_amx;

/*
 * Bits of cpuid, named by leaf and register. Bit 31 is in no int, so the two highest are macros and not constants of
 * an enum.
 */
enum { LEAF1_ECX_FMA = 1 << 12, LEAF1_ECX_OSXSAVE = 1 << 27, LEAF1_ECX_AVX = 1 << 28, LEAF1_ECX_F16C = 1 << 29 };
enum { LEAF7_EBX_AVX2 = 1 << 5, LEAF7_EBX_AVX512F = 1 << 16, LEAF7_EBX_AVX512DQ = 1 << 17 };
#define LEAF7_EBX_AVX512BW (1u << 30)
#define LEAF7_EBX_AVX512VL (1u << 31)

enum { LEAF7_ECX_AVX512VNNI = 1 << 11, LEAF7_EDX_AMX_TILE = 1 << 24, LEAF7_EDX_AMX_INT8 = 1 << 25 };

/*
 * Register sets that the operating system saves at a task switch, bits of XCR0: XMM (1) and YMM (2); and with them
 * opmask (5) and both halves of ZMM (6, 7); and tiles with their configuration (17, 18).
 */
enum { SAVES_YMM = 0x06, SAVES_ZMM = 0xe6, SAVES_TILES = 0x60000 };

/*
 * XCR0, or 0 where the system has not enabled xgetbv itself. By the instruction's name, as the compiler's own function
 * needs a target that has it.
 */
static unsigned saved_registers(void)
{
    unsigned eax, ebx, ecx, edx;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & LEAF1_ECX_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    /* the upper half, edx, has nothing that is asked for here */
    return eax;
}

/* Part of the base architecture. */
static int has_sse2(void)
{
    return 1;
}

/* With FMA and the conversion of halves (F16C), which the kernels use and a processor need not have. */
static int has_avx2(void)
{
    const unsigned need1 = LEAF1_ECX_FMA | LEAF1_ECX_AVX | LEAF1_ECX_F16C;
    unsigned eax, ebx, ecx, edx;

    /* the system first: where it does not save the registers the instructions must not be used, whatever the processor
     * has */
    if ((saved_registers() & SAVES_YMM) != SAVES_YMM)
        return 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & need1) != need1)
        return 0;
    /* 0 as well where the processor has no leaf 7 */
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & LEAF7_EBX_AVX2);
}

/* All of F, BW, DQ and VL: the parts that kernels_avx512.c is compiled for. */
static int has_avx512(void)
{
    const unsigned need = (unsigned)LEAF7_EBX_AVX512F | (unsigned)LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL;
    unsigned eax, ebx, ecx, edx;

    if (!has_avx2() || (saved_registers() & SAVES_ZMM) != SAVES_ZMM)
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & need) == need;
}

/* The products of pairs that are added to a sum in one instruction. */
static int has_avx512vnni(void)
{
    unsigned eax, ebx, ecx, edx;

    return has_avx512() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ecx & LEAF7_ECX_AVX512VNNI);
}

/*
 * The registers of tiles are large, so Linux gives them to a process that asks; it may say no. Whether it knows them
 * is asked without a change, the permission, which is the whole process's, only before use. Kernels before 5.16 do not
 * know the question and answer with an error: no tiles. Other systems are not known.
 */
#if defined(__linux__) && defined(SYS_arch_prctl)
/* From <asm/prctl.h>, which older systems have without them; 18 is the bit of the tiles' data. */
enum { ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };

/* Whether the system gives tiles to a process that asks; changes nothing. */
static int system_has_tiles(void)
{
    /* the kernel writes the mask of features here that a process may ask for */
    uint64_t features = 0;

    return syscall(SYS_arch_prctl, ARCH_GET_XCOMP_SUPP, &features) == 0 && features >> XFEATURE_XTILEDATA & 1;
}

/* Changes the process: its threads may use tiles from now on. Not 0 if the system agreed. */
static int ask_for_tiles(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#else
static int system_has_tiles(void)
{
    return 0;
}

static int ask_for_tiles(void)
{
    return 0;
}
#endif

/* VNNI too, to which small products fall back. */
static int has_amx(void)
{
    const unsigned need = LEAF7_EDX_AMX_TILE | LEAF7_EDX_AMX_INT8;
    unsigned eax, ebx, ecx, edx;

    if (!has_avx512vnni() || (saved_registers() & SAVES_TILES) != SAVES_TILES)
        return 0;
    /* the processor has tiles, the system saves them (above), and gives them to processes that ask */
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & need) == need && system_has_tiles();
}

/* Weakest first. ask_for_tiles is called only if AMX is chosen, by default or by name. */
const struct isa b2s6_family_isas[] = {
    { &b2s6_kernels_sse2, has_sse2, NULL },
    { &b2s6_kernels_avx2, has_avx2, NULL },
    { &b2s6_kernels_avx512, has_avx512, NULL },
    { &b2s6_kernels_avx512vnni, has_avx512vnni, NULL },
    { &b2s6_kernels_amx, has_amx, ask_for_tiles },
    { NULL, NULL, NULL }
};

#endif
