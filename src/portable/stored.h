/* Weights and codes as they are stored, in plain C. */

VF_INLINE vf load_half(const uint16_t *at)
{
    return weights_half(*at);
}

VF_INLINE void codes_store(int16_t *row, uint32_t at, const vi *q, const int planes)
{
    int i;

    (void)planes;
    for (i = 0; i < 16; i++)
        row[at + (uint32_t)i] = (int16_t)q[i];
}
