/* text_output.c - writes text as it comes, holding back what may be a stop string: see text_output.h */
#define _POSIX_C_SOURCE 200809L

#include "text_output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tokenizer/unicode.h"

void text_output_begin(text_output *o, FILE *out, const char *const *stops, size_t n_stops)
{
    struct stat status;
    memset(o, 0, sizeof *o);
    o->out = out;
    o->terminal = isatty(fileno(out));
    o->at_once = o->terminal || (fstat(fileno(out), &status) == 0 && !S_ISREG(status.st_mode));
    o->stops = stops;
    o->n_stops = n_stops;
}

/* On a terminal control characters must not take effect, and bytes that are no text cannot be shown. */
static int acts(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == UTF8_INVALID;
}

static void write_text(text_output *o, const unsigned char *text, size_t n)
{
    o->written |= n > 0;
    if (!o->terminal) {
        fwrite(text, 1, n, o->out);
    } else {
        for (size_t i = 0, size; i < n; i += size) {
            uint32_t c;
            size = utf8_read(text + i, n - i, &c);
            if (acts(c))
                fputc('?', o->out);
            else
                fwrite(text + i, 1, size, o->out);
        }
    }
    if (o->at_once)
        fflush(o->out);
}

void text_output_plain(text_output *o, const unsigned char *text, size_t n)
{
    write_text(o, text, n);
}

/*
 * Where the stop string begins that is whole first, the longest if several are; n if there is none. (Not the one that begins
 * first: that would depend on how the text is cut into tokens.)
 */
static size_t find_stop(const text_output *o, const unsigned char *text, size_t n)
{
    for (size_t end = 1; end <= n; end++) {
        size_t longest = 0;
        for (size_t i = 0; i < o->n_stops; i++) {
            const size_t length = strlen(o->stops[i]);
            if (length > longest && length <= end && memcmp(text + end - length, o->stops[i], length) == 0)
                longest = length;
        }
        if (longest > 0)
            return end - longest;
    }
    return n;
}

/* From where on the text may be the beginning of a stop string; n if nowhere. */
static size_t find_beginning(const text_output *o, const unsigned char *text, size_t n)
{
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < o->n_stops; i++)
            if (strlen(o->stops[i]) > n - at && memcmp(text + at, o->stops[i], n - at) == 0)
                return at;
    return n;
}

int text_output_put(text_output *o, const unsigned char *text, size_t n)
{
    size_t end;
    if (o->stopped)
        return 0;
    if (buffer_append(&o->held, text, n) != 0)
        return -1;
    end = find_stop(o, o->held.bytes, o->held.size);
    o->stopped = end < o->held.size;
    if (!o->stopped)
        end = find_beginning(o, o->held.bytes, o->held.size);
    if (end > 0)
        write_text(o, o->held.bytes, end);
    o->held.size = o->stopped ? 0 : o->held.size - end;
    if (o->held.size > 0)
        memmove(o->held.bytes, o->held.bytes + end, o->held.size);
    return 0;
}

void text_output_end(text_output *o)
{
    if (o->held.size > 0)
        write_text(o, o->held.bytes, o->held.size);
    if (o->terminal && o->written) {
        fputc('\n', o->out);
        fflush(o->out);
    }
    free(o->held.bytes);
    memset(&o->held, 0, sizeof o->held);
}
