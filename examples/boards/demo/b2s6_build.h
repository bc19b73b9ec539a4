/*
 * b2s6_build.h - what this package leaves out of the library
 *
 * As it is, every model runs, of features or tokens, with code as small as it gets. If you know your models, define more and the code
 * shrinks (docs/firmware.md has the figures): B2S6_NO_MAMBA, B2S6_NO_MAMBA2, B2S6_NO_MLP, B2S6_NO_F16, B2S6_NO_Q8, B2S6_NO_Q4,
 * B2S6_NO_BIDIRECTIONAL, B2S6_NO_OTHER_UNITS. A model that needs what is not there is refused, by b2s6_model_place or when its
 * header is compiled.
 */
#ifndef B2S6_BUILD_H
#define B2S6_BUILD_H

#ifndef B2S6_FREESTANDING
#  define B2S6_FREESTANDING 1 /* no files, no malloc: memory is the caller's */
#endif
#ifndef B2S6_SMALL
#  define B2S6_SMALL 1
#endif
#ifndef B2S6_NO_MESSAGES
#  define B2S6_NO_MESSAGES 1
#endif

#endif
