/* score.c - reads a file through a byte model and adds up the surprise of its bytes */
#define _POSIX_C_SOURCE 200809L

#include "score.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prediction.h"

/* What is there, up to n bytes; unlike fread it does not wait for the rest. */
static ssize_t read_some(FILE *in, unsigned char *bytes, size_t n)
{
    ssize_t got;
    do
        got = read(fileno(in), bytes, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* How many bytes the next run can take. */
static size_t next_run(const score *result, const byte_stream *s, uint64_t piece)
{
    const uint64_t left = piece ? piece - result->n_bytes % piece : s->run;
    return left < s->run ? (size_t)left : s->run;
}

static void add_rows(score *result, const float *rows, const unsigned char *bytes, size_t n, surprise_map *map)
{
    for (size_t i = 0; i < n; i++) {
        const double bits = surprise(rows + i * BYTE_VALUES, bytes[i]);
        result->bits += bits;
        if (map)
            map_byte(map, bytes[i], bits);
    }
    result->n_bytes += n;
}

int score_file(score *result, byte_stream *s, FILE *in, uint64_t piece, surprise_map *map, progress *bar, message *m)
{
    unsigned char *bytes = malloc(s->run);
    float *rows = malloc(s->run * BYTE_VALUES * sizeof *rows);
    int failed = bytes && rows ? 0 : complain(m, "out of memory");
    ssize_t n = 1;
    memset(result, 0, sizeof *result);
    while (!failed && n > 0) {
        if (piece && result->n_bytes % piece == 0)
            byte_stream_reset(s);
        n = read_some(in, bytes, next_run(result, s, piece));
        failed = n < 0 ? complain(m, "%s", strerror(errno)) : byte_stream_run(s, bytes, (size_t)n, rows, m);
        if (!failed)
            add_rows(result, rows, bytes, (size_t)n, map);
        if (!failed && bar)
            progress_update(bar, result->n_bytes, result->n_bytes);
        if (map && ferror(map->out))
            break; /* whoever closes it says why */
    }
    free(bytes);
    free(rows);
    return failed;
}
