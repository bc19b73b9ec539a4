/*
 * What a build leaves out: define B2S6_NO_... (or one of the first two) on the compiler's command line, the same for every
 * file of the library. A model that needs a part left out is refused when it is opened: B2S6_ERROR_UNSUPPORTED. Whatever is
 * left out, the rest gives the same bits.
 *
 *   B2S6_FREESTANDING       no operating system, no C library beyond four mem functions: NO_FILES and NO_MALLOC
 *   B2S6_SMALL              small code rather than fast code: NO_ISAS, and nothing twice
 *
 *   B2S6_NO_FILES           b2s6_model_open_file is not there
 *   B2S6_NO_MALLOC          without an allocator of the caller: B2S6_ERROR_MEMORY; placing needs none
 *   B2S6_NO_MESSAGES        statuses and offsets without words: error messages and b2s6_status_text are empty
 *   B2S6_NO_VERIFY          open reads no weights, as with B2S6_OPEN_TRUST; B2S6_OPEN_VERIFY is B2S6_ERROR_UNSUPPORTED
 *   B2S6_NO_ISAS            the portable kernels only
 *
 *   B2S6_NO_S4              s4 blocks, and with them bidirectional models
 *   B2S6_NO_MAMBA           mamba blocks
 *   B2S6_NO_MAMBA2          mamba2 blocks
 *   B2S6_NO_MLP             mlp blocks
 *   B2S6_NO_BIDIRECTIONAL   bidirectional models
 *   B2S6_NO_NORM_LAYER      layer norms
 *   B2S6_NO_NORM_RMS        RMS norms
 *   B2S6_NO_DELTA_LOWRANK   low-rank deltas
 *   B2S6_NO_REAL            real A, B and states, and with them mamba2 blocks
 *   B2S6_NO_COMPLEX         complex A, B and states
 *   B2S6_NO_COMPENSATED     compensated states
 *   B2S6_NO_OTHER_UNITS     all units but B2S6 itself: complex, zero-order hold, one A a layer, B of weight and bias, real
 *                           selective C, delta of one product a block
 *   B2S6_NO_F16             weights of half precision
 *   B2S6_NO_Q8              weights of 8 bits
 *   B2S6_NO_Q4              weights of 4 bits
 *
 * Here each becomes a constant for plain conditions: what is left out is still read by the compiler, and then dropped.
 */
#ifndef B2S6_SWITCHES_H
#define B2S6_SWITCHES_H

/*
 * First what one switch implies for others, so that nobody has to name all. Bidirectional models are made of s4 blocks
 * (their mix alone adds two directions), so they go with them. A low-rank delta and real states belong to units other than
 * B2S6 itself. A freestanding build has neither files nor malloc to call. Small code has the portable table of kernels alone.
 */
#ifdef B2S6_FREESTANDING
#  define B2S6_NO_FILES 1
#  define B2S6_NO_MALLOC 1
#endif
#if defined(B2S6_SMALL) && !defined(B2S6_NO_ISAS)
#  define B2S6_NO_ISAS 1
#endif
#ifdef B2S6_NO_S4
#  define B2S6_NO_BIDIRECTIONAL 1
#endif
#ifdef B2S6_NO_OTHER_UNITS
#  define B2S6_NO_DELTA_LOWRANK 1
#  define B2S6_NO_REAL 1
#endif
#ifdef B2S6_NO_REAL
#  define B2S6_NO_MAMBA2 1
#endif

/* What the library does for its host: 1 where it is there, 0 where it is left out. */
#ifdef B2S6_NO_FILES
#  define B2S6_HAS_FILES 0
#else
#  define B2S6_HAS_FILES 1
#endif

#ifdef B2S6_NO_MALLOC
#  define B2S6_HAS_MALLOC 0
#else
#  define B2S6_HAS_MALLOC 1
#endif

/* Words are the larger part of a small build's constants: some 4 KB of flash (docs/firmware.md, builds words and small). */
#ifdef B2S6_NO_MESSAGES
#  define B2S6_HAS_MESSAGES 0
#else
#  define B2S6_HAS_MESSAGES 1
#endif

/* Without it the weights are trusted: no content of them can make the library read or write outside its memory. */
#ifdef B2S6_NO_VERIFY
#  define B2S6_HAS_VERIFY 0
#else
#  define B2S6_HAS_VERIFY 1
#endif

/* The portable kernels are always there: they define the bits, and run on every machine. */
#ifdef B2S6_NO_ISAS
#  define B2S6_HAS_ISAS 0
#else
#  define B2S6_HAS_ISAS 1
#endif

/*
 * What models may consist of. A model says what it needs in its configuration; layers and units are compared with
 * these constants when it is opened (block.c, unit.c), so that no later code asks whether a part is there.
 */
#ifdef B2S6_NO_S4
#  define B2S6_HAS_S4 0
#else
#  define B2S6_HAS_S4 1
#endif

#ifdef B2S6_NO_MAMBA
#  define B2S6_HAS_MAMBA 0
#else
#  define B2S6_HAS_MAMBA 1
#endif

#ifdef B2S6_NO_MAMBA2
#  define B2S6_HAS_MAMBA2 0
#else
#  define B2S6_HAS_MAMBA2 1
#endif

#ifdef B2S6_NO_MLP
#  define B2S6_HAS_MLP 0
#else
#  define B2S6_HAS_MLP 1
#endif

#ifdef B2S6_NO_BIDIRECTIONAL
#  define B2S6_HAS_BIDIRECTIONAL 0
#else
#  define B2S6_HAS_BIDIRECTIONAL 1
#endif

#ifdef B2S6_NO_NORM_LAYER
#  define B2S6_HAS_NORM_LAYER 0
#else
#  define B2S6_HAS_NORM_LAYER 1
#endif

#ifdef B2S6_NO_NORM_RMS
#  define B2S6_HAS_NORM_RMS 0
#else
#  define B2S6_HAS_NORM_RMS 1
#endif

#ifdef B2S6_NO_DELTA_LOWRANK
#  define B2S6_HAS_DELTA_LOWRANK 0
#else
#  define B2S6_HAS_DELTA_LOWRANK 1
#endif

/* One of the two must stay. With one alone config_is_complex is a constant, and the other half of every scan goes. */
#ifdef B2S6_NO_REAL
#  define B2S6_HAS_REAL 0
#else
#  define B2S6_HAS_REAL 1
#endif

#ifdef B2S6_NO_COMPLEX
#  define B2S6_HAS_COMPLEX 0
#else
#  define B2S6_HAS_COMPLEX 1
#endif

/* A state in two floats costs another form of every scan, and twice the memory where a model asks for it. */
#ifdef B2S6_NO_COMPENSATED
#  define B2S6_HAS_COMPENSATED 0
#else
#  define B2S6_HAS_COMPENSATED 1
#endif

#ifdef B2S6_NO_OTHER_UNITS
#  define B2S6_HAS_OTHER_UNITS 0
#else
#  define B2S6_HAS_OTHER_UNITS 1
#endif

/* Types of weights; plain floats are always there, since vectors and A are of them. */
#ifdef B2S6_NO_F16
#  define B2S6_HAS_F16 0
#else
#  define B2S6_HAS_F16 1
#endif

#ifdef B2S6_NO_Q8
#  define B2S6_HAS_Q8 0
#else
#  define B2S6_HAS_Q8 1
#endif

#ifdef B2S6_NO_Q4
#  define B2S6_HAS_Q4 0
#else
#  define B2S6_HAS_Q4 1
#endif

#if !B2S6_HAS_S4 && !B2S6_HAS_MAMBA && !B2S6_HAS_MAMBA2 || !B2S6_HAS_REAL && !B2S6_HAS_COMPLEX
#  error "these switches leave no model that could run"
#endif

#endif
