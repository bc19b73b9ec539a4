/*
 * demo_screen.h - how the demo looks: a digit on the left, the belief on the right, one line for each row of pixels
 *
 * Block characters where the locale is UTF-8, ASCII elsewhere; colours and lines that grow pixel by pixel on a terminal, plain
 * text in a pipe or file. A narrow terminal gets narrower columns, and the answer's line where those leave no room.
 */
#ifndef B2S6_CLI_DEMO_SCREEN_H
#define B2S6_CLI_DEMO_SCREEN_H

typedef struct screen {
    int utf8, colours;
    int moves;  /* lines may be drawn again */
    int classes, side;
    int gap;    /* columns between the digit and the belief */
    int cell;   /* columns of a class: 4 or 2; 0: there is no room for classes */
    int answer; /* whether the likeliest class is told after them */
} screen;

screen screen_open(int classes, int side);

/* Above a digit. */
void screen_title(const screen *s, int label);

/* One row of pixels (0 .. 16), of which the first `read` are known, and the belief after them. */
void screen_row(const screen *s, const unsigned char *pixels, int read, const double *belief, int label);

/* Below a digit. */
void screen_verdict(const screen *s, int answer, double belief, int label);

void screen_pause(long microseconds);

#endif
