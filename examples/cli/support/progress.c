/* progress.c - draws a bar on standard error, at most ten times a second, in one line of any terminal */
#define _POSIX_C_SOURCE 200809L

#include "progress.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "terminal.h"

#define BAR_WIDTH 30
#define BAR_LEAST 6
#define REDRAW_SECONDS 0.1

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

uint64_t bytes_to_read(FILE *file)
{
    struct stat status;
    off_t at = ftello(file);
    if (at < 0 || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= at)
        return 0;
    return (uint64_t)(status.st_size - at);
}

void progress_begin(progress *p, uint64_t total)
{
    memset(p, 0, sizeof *p);
    p->shown = terminal_moves(STDERR_FILENO);
    p->total = total;
    p->started = p->drawn = seconds_now();
}

/* The bar, as wide as the line leaves room, and the figures after it. A line that wraps could not be taken back. */
static void draw_line(double part, int has_bar, const char *figures)
{
    const size_t columns = terminal_columns(STDERR_FILENO), used = strlen(figures) + 3; /* brackets, and the last column */
    size_t width = columns > used ? columns - used : 0, filled;
    char bar[BAR_WIDTH];
    width = width < BAR_WIDTH ? width : BAR_WIDTH;
    filled = (size_t)(part * (double)width);
    memset(bar, '#', filled);
    memset(bar + filled, '.', width - filled);
    fputs("\r\033[K", stderr);
    if (has_bar && width >= BAR_LEAST)
        fprintf(stderr, "[%.*s]", (int)width, bar);
    fprintf(stderr, "%.*s", columns > 1 ? (int)columns - 1 : 1, figures);
    fflush(stderr);
}

/* " 42 %  1:05 left" of a total that is known. */
static size_t put_share(char *text, size_t size, double part, double seconds_left)
{
    int n = snprintf(text, size, " %3.0f %%", 100 * part);
    if (part > 0 && part < 1 && seconds_left < 360000)
        n += snprintf(text + n, size - (size_t)n, "  %lu:%02lu left", (unsigned long)seconds_left / 60,
                      (unsigned long)seconds_left % 60);
    return (size_t)n;
}

void progress_update(progress *p, uint64_t done, uint64_t bytes)
{
    double now, seconds, part = 0;
    char text[100];
    size_t n;
    if (!p->shown)
        return;
    now = seconds_now();
    if (now - p->drawn < REDRAW_SECONDS)
        return;
    p->drawn = now;
    seconds = now - p->started;
    if (p->total != 0)
        part = done < p->total ? (double)done / (double)p->total : 1;
    if (p->total != 0)
        n = put_share(text, sizeof text, part, part > 0 ? seconds * (1 - part) / part : 0);
    else
        n = (size_t)snprintf(text, sizeof text, "%.1f kB", 1e-3 * (double)bytes);
    if (p->tokens)
        snprintf(text + n, sizeof text - n, "  %.0f tokens/s", (double)bytes / seconds);
    else
        snprintf(text + n, sizeof text - n, "  %.1f kB/s", 1e-3 * (double)bytes / seconds);
    draw_line(part, p->total != 0, text);
}

void progress_end(progress *p)
{
    if (p->shown && p->drawn > p->started)
        fputs("\r\033[K", stderr);
    p->shown = 0;
}
