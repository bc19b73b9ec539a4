/* demo_screen.c - draws the digit, the belief beside it and the verdict below, as wide as the terminal allows */
#define _POSIX_C_SOURCE 200809L

#include "demo_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/terminal.h"

static const char *const shades[2][5] = { { " ", ".", "+", "#", "@" }, { " ", "░", "▒", "▓", "█" } };
static const char *const bars[2][9] = {
    { " ", ".", ":", "-", "=", "+", "*", "#", "@" }, { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
};

static const char bright[] = "\033[1m", green[] = "\033[1;32m", yellow[] = "\033[33m", red[] = "\033[1;31m";
static const char faint[] = "\033[2m", plain[] = "\033[0m";

/* What the locale says of characters, asked the way the C library asks. */
static int locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8") || strstr(value, "UTF8");
    }
    return 0;
}

/* What a line fills: margin, digit, gap, classes, "  7 100 %". */
static size_t width_of(const screen *s)
{
    return (size_t)(2 + 2 * s->side + s->gap + s->cell * s->classes + (s->answer ? 9 : 0));
}

/* The widest form that fits. The last column stays free: some terminals wrap when it is filled. */
static void fit(screen *s, size_t columns)
{
    static const struct { int gap, cell, answer; } forms[] = { { 10, 4, 1 }, { 2, 4, 1 }, { 2, 2, 1 }, { 1, 2, 0 }, { 0, 0, 1 } };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        s->gap = forms[i].gap;
        s->cell = forms[i].cell;
        s->answer = forms[i].answer;
        if (width_of(s) < columns)
            return;
    }
}

screen screen_open(int classes, int side)
{
    const size_t columns = terminal_columns(STDOUT_FILENO);
    screen s = { 0, 0, 0, 0, 0, 10, 4, 1 };
    s.utf8 = locale_is_utf8();
    s.moves = terminal_moves(STDOUT_FILENO);
    s.colours = terminal_colours(STDOUT_FILENO);
    s.classes = classes;
    s.side = side;
    fit(&s, columns ? columns : 80);
    return s;
}

static void style(const screen *s, const char *code)
{
    if (s->colours)
        fputs(code, stdout);
}

static void repeat(const char *text, int n)
{
    while (n-- > 0)
        fputs(text, stdout);
}

void screen_title(const screen *s, int label)
{
    style(s, faint);
    const int width = 2 * s->side + s->gap - 4; /* from after the label to the first class */
    printf("  a %-2d%*s", label, width, s->gap >= 10 ? "belief " : "");
    for (int c = 0; c < s->classes && s->cell; c++) {
        if (c == label)
            style(s, plain);
        printf("%*d", c ? s->cell : s->cell / 2, c);
        if (c == label)
            style(s, faint);
    }
    style(s, plain);
    printf("\n");
}

void screen_row(const screen *s, const unsigned char *pixels, int read, const double *belief, int label)
{
    int best = 0;
    if (s->moves)
        printf("\r");
    printf("  ");
    for (int i = 0; i < s->side; i++)
        repeat(i < read ? shades[s->utf8][(pixels[i] + 3) / 4] : " ", 2);
    repeat(" ", s->gap);
    for (int c = 0; c < s->classes; c++) {
        if (belief[c] > belief[best])
            best = c;
    }
    for (int c = 0; c < s->classes && s->cell; c++) {
        const char *bar = bars[s->utf8][belief[c] > 0 ? (int)(belief[c] * 8 + 0.5) : 0];
        style(s, c == label ? green : c == best ? yellow : faint);
        printf(s->cell == 4 ? " %s%s " : "%s ", bar, bar);
        style(s, plain);
    }
    if (s->answer)
        printf("  %d %3.0f %%", best, 100 * belief[best]);
    if (!s->moves || read == s->side)
        printf("\n");
    fflush(stdout);
}

void screen_verdict(const screen *s, int answer, double belief, int label)
{
    printf("  ");
    style(s, answer == label ? green : red);
    printf("%s", answer == label ? "right" : "wrong");
    style(s, plain);
    printf(": a ");
    style(s, bright);
    printf("%d", answer);
    style(s, plain);
    printf(", %.1f %% sure\n\n", 100 * belief);
    fflush(stdout);
}

void screen_pause(long microseconds)
{
    struct timespec t = { microseconds / 1000000, microseconds % 1000000 * 1000 };
    nanosleep(&t, NULL);
}
