/*
 * Weights and codes as they are stored, in plain C: what product.h and quantize.h want of an instruction set. Integers
 * need no more here, as portable/integer.h reads them itself. The stored_*.h of other instruction sets have these
 * names and more.
 */

/* A half as a float, exactly (weights.h). */
VF_INLINE vf load_half(const uint16_t *at)
{
    return weights_half(*at);
}

/* The 16 codes q, one a lane, to a row from number `at` on, in order; no variant of plain C wants them in planes. */
VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    int i;

    (void)planes;
    for (i = 0; i < 16; i++)
        row[at + (uint32_t)i] = (int16_t)q[i];
}
