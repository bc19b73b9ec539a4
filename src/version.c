/*
 * What this library is: its version, and which parts the build has. Both are asked of the library that
 * runs, not of the header that a program was compiled with: they may differ.
 */
#include "common.h"

/* Two steps, so that the macros are replaced by their numbers before they become text. */
#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

/* As compiled into the library; a program's own B2S6_VERSION may be an older one. */
uint32_t b2s6_version(void)
{
    return B2S6_VERSION;
}

/* The same three numbers, joined by the compiler. */
const char *b2s6_version_text(void)
{
    return VERSION_TEXT(B2S6_VERSION_MAJOR, B2S6_VERSION_MINOR, B2S6_VERSION_PATCH);
}

/*
 * A bit for each switch of switches.h that is not used. Constant conditions rather than #ifs, so that a
 * name that is misspelt does not compile.
 */
uint32_t b2s6_parts(void)
{
    return (B2S6_HAS_FILES ? B2S6_PART_FILES : 0) | (B2S6_HAS_MALLOC ? B2S6_PART_MALLOC : 0) |
           (B2S6_HAS_MESSAGES ? B2S6_PART_MESSAGES : 0) | (B2S6_HAS_VERIFY ? B2S6_PART_VERIFY : 0) |
           (B2S6_HAS_ISAS ? B2S6_PART_ISAS : 0) | (B2S6_HAS_S4 ? B2S6_PART_S4 : 0) | (B2S6_HAS_MAMBA ? B2S6_PART_MAMBA : 0) |
           (B2S6_HAS_MAMBA2 ? B2S6_PART_MAMBA2 : 0) | (B2S6_HAS_MLP ? B2S6_PART_MLP : 0) |
           (B2S6_HAS_BIDIRECTIONAL ? B2S6_PART_BIDIRECTIONAL : 0) | (B2S6_HAS_NORM_LAYER ? B2S6_PART_NORM_LAYER : 0) |
           (B2S6_HAS_NORM_RMS ? B2S6_PART_NORM_RMS : 0) | (B2S6_HAS_DELTA_LOWRANK ? B2S6_PART_DELTA_LOWRANK : 0) |
           (B2S6_HAS_REAL ? B2S6_PART_REAL : 0) | (B2S6_HAS_COMPLEX ? B2S6_PART_COMPLEX : 0) |
           (B2S6_HAS_OTHER_UNITS ? B2S6_PART_OTHER_UNITS : 0) | (B2S6_HAS_COMPENSATED ? B2S6_PART_COMPENSATED : 0) |
           (B2S6_HAS_F16 ? B2S6_PART_F16 : 0) | (B2S6_HAS_Q8 ? B2S6_PART_Q8 : 0) | (B2S6_HAS_Q4 ? B2S6_PART_Q4 : 0);
}
