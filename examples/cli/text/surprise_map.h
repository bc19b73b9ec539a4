/*
 * surprise_map.h - text with the surprise that each of its characters was to a model
 *
 * In colours, or as text with a line of digits below each line. A character of several bytes (UTF-8) has the surprise of
 * its bytes together, or of the tokens that begin in it; what is no character, or would act on the terminal, is shown as
 * \xNN. Nothing but the line that is being put together is remembered.
 */
#ifndef B2S6_CLI_SURPRISE_MAP_H
#define B2S6_CLI_SURPRISE_MAP_H

#include <stddef.h>
#include <stdio.h>

/* As wide as most terminals: where lines broke by themselves, marks would not stay below their characters. */
#define MAP_COLUMNS 80

typedef struct surprise_map {
    FILE *out;
    int color;
    unsigned char bytes[4];  /* of a character that is not complete */
    size_t n_bytes, needed;
    double bits;             /* of these bytes */
    int tokens;              /* set after map_begin: surprises are of whole tokens */
    int begins;              /* a token begins in this character */
    double token_bits;       /* of the token that is being shown */
    int shade;               /* the colour that is set; -1: none */
    char text[4 * MAP_COLUMNS + 1], marks[MAP_COLUMNS + 1]; /* without colours: a line and what goes below */
    size_t n_text, n_marks, columns;
} surprise_map;

/* columns: as wide as lines without colours may be; 0 for MAP_COLUMNS, which is the most. */
void map_begin(surprise_map *map, FILE *out, int color, size_t columns);
void map_byte(surprise_map *map, unsigned char byte, double bits);
/* The text of a token: in its colour, or with its digit below the first character. */
void map_token(surprise_map *map, const unsigned char *text, size_t n, double bits);
void map_end(surprise_map *map); /* also says what the colours or digits mean */

#endif
