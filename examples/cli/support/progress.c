/* progress.c - see progress.h */
#define _POSIX_C_SOURCE 200809L

#include "progress.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "terminal.h"

#define BAR_WIDTH 30
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

static void draw_bar(const progress *p, uint64_t done, double rate)
{
    const double part = done < p->total ? (double)done / (double)p->total : 1;
    const int filled = (int)(part * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "[%s] %3.0f %%", bar, 100 * part);
    if (rate > 0 && done < p->total) {
        const unsigned long left = (unsigned long)((double)(p->total - done) / rate);
        fprintf(stderr, "  %lu:%02lu left", left / 60, left % 60);
    }
}

void progress_update(progress *p, uint64_t done, uint64_t bytes)
{
    double now, seconds;
    if (!p->shown)
        return;
    now = seconds_now();
    if (now - p->drawn < REDRAW_SECONDS)
        return;
    p->drawn = now;
    seconds = now - p->started;
    fputs("\r\033[K", stderr);
    if (p->total != 0)
        draw_bar(p, done, (double)done / seconds);
    else
        fprintf(stderr, "%.1f kB", 1e-3 * (double)bytes);
    fprintf(stderr, "  %.1f kB/s", 1e-3 * (double)bytes / seconds);
    fflush(stderr);
}

void progress_end(progress *p)
{
    if (p->shown && p->drawn > p->started)
        fputs("\r\033[K", stderr);
    p->shown = 0;
}
