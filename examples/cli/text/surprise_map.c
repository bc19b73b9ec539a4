/* surprise_map.c - puts text together character by character and shows it with its surprise, in colours or digits below it */
#include "surprise_map.h"

#include <string.h>

/* Colours of the 256-colour palette, and from how many bits on each is used. */
typedef struct shade {
    double from;
    int color;
} shade;

static const shade shades[] = { { 0, 243 }, { 0.5, 250 }, { 1, 157 }, { 2, 226 }, { 4, 214 }, { 7, 202 }, { 11, 197 } };

#define N_SHADES (int)(sizeof shades / sizeof shades[0])

void map_begin(surprise_map *map, FILE *out, int color, size_t columns)
{
    memset(map, 0, sizeof *map);
    map->out = out;
    map->color = color;
    map->columns = columns > 0 && columns < MAP_COLUMNS ? columns : MAP_COLUMNS;
    map->shade = -1;
}

/* --------------------------------------------------------------------------------------------------------------- cells */

static void set_shade(surprise_map *map, double bits)
{
    int i = N_SHADES - 1;
    while (i > 0 && bits < shades[i].from)
        i--;
    if (i != map->shade)
        fprintf(map->out, "\033[38;5;%dm", shades[i].color);
    map->shade = i;
}

static void no_shade(surprise_map *map)
{
    if (map->shade >= 0)
        fputs("\033[0m", map->out);
    map->shade = -1;
}

/* Without colours: the line, and below it the marks, which end with the last that is not blank. */
static void flush_line(surprise_map *map)
{
    fwrite(map->text, 1, map->n_text, map->out);
    fputc('\n', map->out);
    while (map->n_marks > 0 && map->marks[map->n_marks - 1] == ' ')
        map->n_marks--;
    fwrite(map->marks, 1, map->n_marks, map->out);
    fputc('\n', map->out);
    map->n_text = map->n_marks = 0;
}

/* One column. */
static void put_column(surprise_map *map, const char *text, size_t n, char mark)
{
    if (map->n_marks >= map->columns)
        flush_line(map);
    memcpy(map->text + map->n_text, text, n);
    map->n_text += n;
    map->marks[map->n_marks++] = mark;
}

/* Of tokens a 0 is written, too: it shows where one begins. */
static char mark_of(const surprise_map *map, double bits)
{
    if (map->tokens && !map->begins)
        return ' ';
    return bits < 1 && !map->tokens ? ' ' : bits < 10 ? (char)('0' + (int)bits) : '#';
}

/* A character of n bytes that fills columns columns: 1, or as many as it has bytes. */
static void put_cell(surprise_map *map, const char *text, size_t n, size_t columns, double bits)
{
    if (map->color) {
        if (map->begins)
            map->token_bits = bits;
        set_shade(map, map->tokens ? map->token_bits : bits);
        fwrite(text, 1, n, map->out);
        return;
    }
    put_column(map, text, columns == 1 ? n : 1, mark_of(map, bits));
    for (size_t i = 1; i < columns; i++)
        put_column(map, text + i, 1, ' ');
}

static void put_newline(surprise_map *map, double bits)
{
    if (map->color) {
        no_shade(map);
        fputc('\n', map->out);
        return;
    }
    put_column(map, " ", 1, mark_of(map, bits));
    map->n_text--; /* its column has a mark, but needs no blank */
    flush_line(map);
}

static void put_hexadecimal(surprise_map *map, unsigned char byte, double bits)
{
    char text[5];
    snprintf(text, sizeof text, "\\x%02X", byte);
    put_cell(map, text, 4, 4, bits);
}

static void put_tab(surprise_map *map, double bits)
{
    static const char blanks[] = "        ";
    const size_t width = 8 - map->n_marks % 8;
    if (map->color)
        put_cell(map, "\t", 1, 1, bits);
    else
        put_cell(map, blanks, width, width, bits);
}

/* ---------------------------------------------------------------------------------------------------------- characters */

/* Bytes of the character that begins with this one; 0 if none does. */
static size_t character_length(unsigned char lead)
{
    return lead >= 0x20 && lead < 0x7f ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

/* Whether a second byte may follow the first: no overlong forms, no surrogates, no control characters above 0x7f. */
static int may_follow(unsigned char lead, unsigned char second)
{
    const unsigned char least = lead == 0xc2 || lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most;
}

static int continues(const surprise_map *map, unsigned char byte)
{
    return map->n_bytes == 1 ? may_follow(map->bytes[0], byte) : (byte & 0xc0) == 0x80;
}

/* Bytes that turned out to be no character; the first one has their surprise. */
static void give_up(surprise_map *map)
{
    for (size_t i = 0; i < map->n_bytes; i++)
        put_hexadecimal(map, map->bytes[i], i == 0 ? map->bits : 0);
    map->n_bytes = 0;
}

static void take_byte(surprise_map *map, unsigned char byte, double bits, int begins)
{
    if (map->n_bytes > 0 && !continues(map, byte))
        give_up(map);
    if (map->n_bytes == 0) {
        map->bits = 0;
        map->begins = 0;
        map->needed = character_length(byte);
    }
    map->begins |= begins;
    if (map->needed == 0) {
        if (byte == '\n')
            put_newline(map, bits);
        else if (byte == '\t')
            put_tab(map, bits);
        else
            put_hexadecimal(map, byte, bits);
        return;
    }
    map->bytes[map->n_bytes++] = byte;
    map->bits += bits;
    if (map->n_bytes == map->needed) {
        put_cell(map, (const char *)map->bytes, map->n_bytes, 1, map->bits);
        map->n_bytes = 0;
    }
}

void map_byte(surprise_map *map, unsigned char byte, double bits)
{
    take_byte(map, byte, bits, 0);
}

void map_token(surprise_map *map, const unsigned char *text, size_t n, double bits)
{
    for (size_t i = 0; i < n; i++)
        take_byte(map, text[i], i == 0 ? bits : 0, i == 0);
}

void map_end(surprise_map *map)
{
    give_up(map);
    if (map->n_marks > 0)
        flush_line(map);
    no_shade(map);
    if (!map->color) {
        fputs(map->tokens ? "\nBelow the first character of each token: its surprise in whole bits, # from ten on.\n"
                          : "\nBelow each character: its surprise in whole bits; nothing below one, # from ten on.\n",
              map->out);
        return;
    }
    fputs("\nbits of surprise:", map->out);
    for (int i = 0; i < N_SHADES; i++)
        fprintf(map->out, " \033[38;5;%dmfrom %g\033[0m", shades[i].color, shades[i].from);
    fputc('\n', map->out);
}
