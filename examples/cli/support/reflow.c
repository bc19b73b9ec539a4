/* reflow.c - breaks lines between words, below the text of their row */
#define _POSIX_C_SOURCE 200809L

#include "reflow.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal.h"

enum { LINE_MAX_BYTES = 4000 }; /* no line of ours has more with all that follows it; longer ones of others are cut in two */

/* Columns that n bytes of UTF-8 fill, if every character fills one. */
static size_t columns_of(const char *text, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

static size_t blanks_at(const char *text)
{
    return strspn(text, " ");
}

/* Where the text of a row "label  text" begins; of any other line, where the line does. It ends as the text or before '\n'. */
static size_t text_column(const char *line)
{
    const size_t begin = strncmp(line, "usage: ", 7) == 0 ? 7 : blanks_at(line);
    for (size_t i = begin; line[i] && line[i] != '\n'; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            return i + blanks_at(line + i);
    return begin;
}

/* Bytes of the word that begins here; "[--isa NAME]" is one, and "[--stop TEXT]..." too. */
static size_t word_at(const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;
    return end ? (size_t)(end - text) + strcspn(end, " ") : strcspn(text, " ");
}

/* Bytes of the line that fit: up to the last blank before the edge, or a word that is longer than a line. */
static size_t fitting(const char *line, size_t columns)
{
    size_t at = 0, end = 0;
    while (line[at]) {
        const size_t blanks = blanks_at(line + at), word = word_at(line + at + blanks);
        if (end > 0 && columns_of(line, at + blanks + word) > columns)
            return end;
        at += blanks + word;
        end = at;
    }
    return at;
}

/* One line, broken as often as it takes. */
static void print_line(FILE *out, const char *line, size_t columns)
{
    size_t indent = text_column(line), n;
    if (indent * 2 > columns)
        indent = blanks_at(line) + 4;
    n = fitting(line, columns);
    if (n < indent && line[n])
        n = fitting(line + indent, columns > indent ? columns - indent : 1) + indent; /* never a label alone */
    fprintf(out, "%.*s\n", (int)n, line);
    for (line += n + blanks_at(line + n); *line; line += n + blanks_at(line + n)) {
        n = fitting(line, columns > indent ? columns - indent : 1);
        fprintf(out, "%*s%.*s\n", (int)indent, "", (int)n, line);
    }
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    for (size_t n; *text; text += n + (text[n] != 0)) {
        n = strcspn(text, "\n");
        widest = columns_of(text, n) > widest ? columns_of(text, n) : widest;
    }
    return widest;
}

/* Whether a line of a help text goes on with the one before it: with a paragraph, below an option's text, with the usage. */
static int continues(const char *line, int usage, size_t column)
{
    const size_t blanks = blanks_at(line);
    if (line[blanks] == 0 || line[blanks] == '\n')
        return 0;
    return usage ? blanks > column || (blanks == column && strncmp(line + blanks, "b2s6", 4) != 0)
                 : blanks == column && text_column(line) == column;
}

void reflow_help(FILE *out, const char *text, size_t columns)
{
    char line[LINE_MAX_BYTES];
    if (columns == 0 || columns >= widest_line(text)) {
        fputs(text, out);
        return;
    }
    while (*text) {
        const size_t n = strcspn(text, "\n"), column = text_column(text);
        const int usage = strncmp(text, "usage: ", 7) == 0;
        size_t next = n + (text[n] != 0);
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        while (n > 0 && continues(text + next, usage, column)) {
            const char *more = text + next + blanks_at(text + next);
            const size_t length = strcspn(more, "\n"), used = strlen(line);
            if (used + length + 2 > sizeof line)
                break;
            snprintf(line + used, sizeof line - used, " %.*s", (int)length, more);
            next = (size_t)(more - text) + length + (more[length] != 0);
        }
        print_line(out, line, columns);
        text += next;
    }
}

void reflow_rows_begin(reflow_rows *r)
{
    r->taken = NULL;
    if (terminal_columns(STDOUT_FILENO) == 0 || fflush(stdout) != 0)
        return;
    r->taken = tmpfile();
    r->descriptor = r->taken ? dup(STDOUT_FILENO) : -1;
    if (r->descriptor >= 0 && dup2(fileno(r->taken), STDOUT_FILENO) >= 0)
        return;
    if (r->descriptor >= 0)
        close(r->descriptor);
    if (r->taken)
        fclose(r->taken);
    r->taken = NULL;
}

void reflow_rows_end(reflow_rows *r)
{
    char line[LINE_MAX_BYTES];
    if (!r->taken)
        return;
    fflush(stdout);
    dup2(r->descriptor, STDOUT_FILENO);
    close(r->descriptor);
    rewind(r->taken);
    while (fgets(line, sizeof line, r->taken)) {
        line[strcspn(line, "\n")] = 0;
        print_line(stdout, line, terminal_columns(STDOUT_FILENO));
    }
    fclose(r->taken);
}
