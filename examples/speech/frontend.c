/*
 * frontend.c - the front end of the spoken digits (frontend.h), step by step as examples/pytorch/speech_frontend.py defines it
 *
 * 256 real samples are transformed as 128 complex ones. Turns by 0 and by a quarter are exact in the definition, so
 * that the first
 * two stages need no products here; bins k and 128 - k share theirs. Right shifts of negative numbers are arithmetic
 * ones, which
 * C leaves to the compiler: asserted below.
 */
#include "frontend.h"

#include "frontend_tables.h"

enum { POINTS = SPEECH_FRAME / 2, NO_BAND = 255, FLOOR_BITS = 20 };

typedef char right_shift_is_arithmetic[(-3 >> 1) == -2 && ((int64_t)-3 >> 1) == -2 ? 1 : -1];

static const int64_t half = (int64_t)1 << 29;

void speech_frontend_init(struct speech_frontend *f)
{
    f->filled = 0;
}

/* Where point i goes before a transform by halves: its 7 bits from right to left. */
static uint32_t reversed(uint32_t i)
{
    i = (i & 0x55) << 1 | (i >> 1 & 0x55);
    i = (i & 0x33) << 2 | (i >> 2 & 0x33);
    return ((i & 0x0f) << 4 | i >> 4) >> 1;
}

/* The window, and pairs of samples as complex points in reversed order. |z| <= 2^22 */
static void load(int32_t *z, const int16_t *s)
{
    for (uint32_t i = 0; i < POINTS / 2; i++) {
        int32_t *near = z + 2 * reversed(i), *far = z + 2 * reversed(POINTS - 1 - i);

        near[0] = (s[2 * i] * window[2 * i] + 128) >> 8;
        near[1] = (s[2 * i + 1] * window[2 * i + 1] + 128) >> 8;
        far[0] = (s[SPEECH_FRAME - 2 - 2 * i] * window[2 * i + 1] + 128) >> 8;
        far[1] = (s[SPEECH_FRAME - 1 - 2 * i] * window[2 * i] + 128) >> 8;
    }
}

/* (a, b) -> (a + b, a - b), complex */
static void meet(int32_t *a, int32_t *b)
{
    const int32_t r = b[0], i = b[1];

    b[0] = a[0] - r;
    b[1] = a[1] - i;
    a[0] += r;
    a[1] += i;
}

/* The stages of 2 and of 4 points: turns by 0 and by minus a quarter only. */
static void first_stages(int32_t *z)
{
    for (int32_t *a = z; a < z + 2 * POINTS; a += 8) {
        int32_t r;

        meet(a, a + 2);
        meet(a + 4, a + 6);
        r = a[6];
        a[6] = a[7];
        a[7] = -r;
        meet(a, a + 4);
        meet(a + 2, a + 6);
    }
}

/* A stage of 2 * apart points: b of each pair is turned by j / (2 * apart), one rounding. */
static void stage(int32_t *z, uint32_t apart)
{
    const uint32_t step = POINTS / apart;

    for (uint32_t j = 0; j < apart; j++) {
        const int32_t c = turns[2 * step * j], s = turns[2 * step * j + 1];

        for (int32_t *a = z + 2 * j; a < z + 2 * POINTS; a += 4 * apart) {
            int32_t *b = a + 2 * apart;
            const int32_t r = (int32_t)(((int64_t)b[0] * c - (int64_t)b[1] * s + half) >> 30);
            const int32_t i = (int32_t)(((int64_t)b[0] * s + (int64_t)b[1] * c + half) >> 30);

            b[0] = a[0] - r;
            b[1] = a[1] - i;
            a[0] += r;
            a[1] += i;
        }
    }
}

/* Adds (re^2 + im^2) >> 12 of a bin to its two bands; energy (SPEECH_BANDS + 2) begins one below the first. */
static void add_power(uint64_t *energy, uint32_t k, int32_t re, int32_t im)
{
    const uint64_t power = ((uint64_t)((int64_t)re * re) + (uint64_t)((int64_t)im * im)) >> 12;
    const uint64_t part = power * mel_weight[k];

    if (mel_band[k] == NO_BAND)
        return;
    energy[mel_band[k] + 1] += part;
    energy[mel_band[k]] += (power << 8) - part;
}

/*
 * Twice the spectrum of the real samples, from that of the complex points: Y_k = Z_k + Z'_k + turned(Z_k - Z'_k) with Z'_k the
 * conjugate of Z_(128 - k). The turned difference of bin 128 - k is that of bin k, its real part negated before it is rounded.
 */
static void add_spectrum(uint64_t *energy, const int32_t *z)
{
    for (uint32_t k = 1; k <= POINTS / 2; k++) {
        const int32_t *a = z + 2 * k, *b = z + 2 * (POINTS - k);
        const int32_t c = turns[2 * k], s = turns[2 * k + 1];
        const int32_t sum_re = a[0] + b[0], sum_im = a[1] - b[1], re = a[0] - b[0], im = a[1] + b[1];
        const int64_t turned = (int64_t)re * s + (int64_t)im * c;
        const int32_t t_im = (int32_t)(((int64_t)im * s - (int64_t)re * c + half) >> 30);

        add_power(energy, k, sum_re + (int32_t)((turned + half) >> 30), sum_im + t_im);
        if (k < POINTS / 2)
            add_power(energy, POINTS - k, sum_re - (int32_t)((turned + half - 1) >> 30), t_im - sum_im);
    }
}

/* floor(log2 e), e > 0 */
static uint32_t highest_bit(uint64_t e)
{
    uint32_t k = 0, high = (uint32_t)(e >> 32), x = high ? high : (uint32_t)e;

#if defined(__GNUC__)
    k = 31 - (uint32_t)__builtin_clz(x);
#else
    while (x >>= 1)
        k++;
#endif
    return high ? k + 32 : k;
}

/* log2 of e >= 2^FLOOR_BITS in 1/256, less that of the floor; log2(1 + f) by a parabola, within 0.009 */
static int16_t logarithm(uint64_t e)
{
    const uint32_t k = highest_bit(e), f = (uint32_t)(e >> (k - 16)) & 65535;
    const uint32_t g = f + (((f * (65536 - f)) >> 16) * 22512 >> 16);

    return (int16_t)((((k - FLOOR_BITS) << 16) + g + 128) >> 8);
}

static void transform(struct speech_frontend *f, int16_t *bands)
{
    uint64_t energy[SPEECH_BANDS + 2];

    for (int m = 0; m < SPEECH_BANDS + 2; m++)
        energy[m] = (uint64_t)1 << FLOOR_BITS;
    load(f->z, f->samples);
    first_stages(f->z);
    for (uint32_t apart = 4; apart < POINTS; apart *= 2)
        stage(f->z, apart);
    add_spectrum(energy, f->z);
    for (int m = 0; m < SPEECH_BANDS; m++)
        bands[m] = logarithm(energy[m + 1]);
}

size_t speech_frontend_push(struct speech_frontend *f, const int16_t *samples, size_t n, int16_t *bands, int *ready)
{
    const size_t wanted = SPEECH_FRAME - f->filled, taken = n < wanted ? n : wanted;

    *ready = 0;
    if (!taken)
        return 0;
    for (size_t i = 0; i < taken; i++)
        f->samples[f->filled++] = samples[i];
    if (f->filled < SPEECH_FRAME)
        return taken;
    transform(f, bands);
    for (f->filled = 0; f->filled < SPEECH_FRAME - SPEECH_HOP; f->filled++)
        f->samples[f->filled] = f->samples[f->filled + SPEECH_HOP];
    *ready = 1;
    return taken;
}
