/*
 * Names of kernels: KERNEL(scan) is scan_avx2 where ISA is avx2, so that back traces and profiles tell which
 * instruction set ran, and the texts of several may share a file. INTEGER(name) is the same for the integer kernels,
 * of which an instruction set may have variants of its own: INTEGER_ISA. Inline functions have no symbols, and keep
 * their names.
 *
 * Included by each kernels_*.c after it has defined ISA and INTEGER_ISA.
 */

/*
 * Two steps each, since ## and # take their arguments as they are written: the step between puts in what ISA stands
 * for.
 */
#define KERNEL_PASTE(name, isa) name##_##isa
#define KERNEL_OF(name, isa) KERNEL_PASTE(name, isa)
#define KERNEL(name) KERNEL_OF(name, ISA)
#define INTEGER(name) KERNEL_OF(name, INTEGER_ISA)

#define KERNEL_TEXT_OF(name) #name
#define KERNEL_TEXT(name) KERNEL_TEXT_OF(name)
