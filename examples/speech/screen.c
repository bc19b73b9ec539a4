/* screen.c - words, level meter and bars of beliefs (screen.h) */
#define _POSIX_C_SOURCE 200809L

#include "screen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METER = 12, SHADES = 8 };

static const char *const names[10] = { "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine" };

void screen_init(struct screen *s, FILE *out, int plain)
{
    const char *terminal = getenv("TERM");

    s->out = out;
    s->peak = 0;
    s->live = !plain && isatty(fileno(out)) && terminal && strcmp(terminal, "dumb") != 0;
}

void screen_sample(struct screen *s, int16_t sample)
{
    const int32_t size = sample < 0 ? -(int32_t)sample : sample;

    if (size > s->peak)
        s->peak = size;
}

/* Bars of the meter that a peak lights: one for 6 dB each, all of them at full scale. */
static int lit(int32_t peak)
{
    int bars = 0;

    for (int32_t limit = 32767 >> (METER - 1); bars < METER && peak >= limit && peak > 0; bars++)
        limit = bars + 2 < METER ? 32767 >> (METER - 2 - bars) : 32767;
    return bars;
}

void screen_draw(struct screen *s, double seconds, const uint8_t *beliefs)
{
    /* eighths of a block, from none to whole */
    static const char *const shades[SHADES + 1] = { " ", "\u2581", "\u2582", "\u2583", "\u2584",
                                              "\u2585", "\u2586", "\u2587", "\u2588" };
    const int bars = lit(s->peak);

    if (!s->live)
        return;
    fprintf(s->out, "\r%9.2f s  [", seconds);
    for (int i = 0; i < METER; i++)
        fputs(i < bars ? i == METER - 1 ? "!" : "=" : " ", s->out);
    fputs("] ", s->out);
    for (int d = 0; d < 10; d++)
        fprintf(s->out, " %d%s", d, shades[(beliefs[d + 1] * SHADES + 127) / 255]);
    fflush(s->out);
    s->peak -= s->peak / 4;         /* the meter falls slowly */
}

void screen_word(struct screen *s, double seconds, int digit, double belief)
{
    fprintf(s->out, "%s%9.2f s  %-6s %.2f\n", s->live ? "\r\033[K" : "", seconds, names[digit], belief);
    fflush(s->out);                 /* a word is news */
}

void screen_end(struct screen *s)
{
    if (s->live)
        fputs("\r\033[K", s->out);
    fflush(s->out);
}
