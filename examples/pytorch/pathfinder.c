/* pathfinder.c - writes the Pathfinder task of the Long Range Arena: are the two marked ends those of one snake
 *
 *     cc -O2 -o pathfinder pathfinder.c
 *     ./pathfinder SEED FOLDER [TRAIN VALID TEST [CONTOUR DISTRACTORS]]        160000 20000 20000 14 5 unless given
 *
 * A grey image of 32 x 32 pixels has two snakes of CONTOUR paddles and DISTRACTORS snakes of CONTOUR / 3 paddles. A paddle is 2 pixels
 * long and half a pixel wide; the next one of its snake begins 1 pixel after its end, in its own direction. A turn is the sum of
 * three uniform ones of up to 19.7 degrees each. Paddles of other snakes, and of the same one but its neighbours, keep 2 pixels away.
 * The first paddles of the two long snakes are at least 7 pixels apart, and paddles stay 1 pixel away from the border. Discs of radius 1.5
 * mark two ends: both of the first snake (answer 1), or one end of each long snake (answer 0), at even odds; of the four such
 * pairs the one whose distance is nearest to that of the first snake's ends, since distances would tell the answer else. Images of both
 * answers are drawn alike: only the discs know the answer, and the ends without discs have the room for them, too.
 *
 * Writes FOLDER/train.bin, valid.bin and test.bin, little-endian, as listops.c does: "B2S6PATH", u32 version 1, u32 count, u32 pixels in
 * all, u32 lengths (count, each 1024), u8 answers (count), u8 pixels row by row; paddles are 191, discs 255, edges the share of 16
 * points that are covered. And train.snakes, ... for check_pathfinder.py: "B2S6SNAK", u32 version 1, count, CONTOUR, DISTRACTORS, paddles
 * of a short snake; then for each image the marked ends (2 bytes: snake * 2 + end) and every paddle (u16 x, u16 y, in 1/256 pixel, of its
 * first end; u8 direction in 1/256 turn). All is reckoned in integers: the same seed gives the same bytes everywhere.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 32, PIXELS = SIDE * SIDE, ONE = 256,         /* ONE: a pixel */
    LENGTH = 2 * ONE, GAP = ONE, APART = 2 * ONE, SEEDS_APART = 7 * ONE, BORDER = ONE, RADIUS = 3 * ONE / 2,
    TURN = 14,                                          /* of 256: a third of the sharpest turn */
    ENDS_APART = 2 * RADIUS + ONE, END_APART = RADIUS + ONE,    /* between marked ends; from one to other snakes' paddles */
    POINTS = 5,                                         /* of a paddle, half a pixel apart, for distances */
    CONTOUR = 14, SNAKES = 12, TRIES = 12, GREY = 191, WHITE = 255
};

typedef struct point { int x, y; } point;
typedef struct paddle { point at[POINTS]; int direction, snake; } paddle;
typedef struct image {
    paddle paddles[2 * CONTOUR + SNAKES * (CONTOUR / 3)];
    int count;
    point ends[4];                                      /* of the long snakes: first, last, first, last */
    int end_count;
} image;

static int contour = CONTOUR, distractors = 5;

/* cos(i / 256 turn) 2^14 of the first quarter */
static const int quarter[65] = {
    16384, 16379, 16364, 16340, 16305, 16261, 16207, 16143, 16069, 15986, 15893, 15791, 15679, 15557, 15426, 15286,
    15137, 14978, 14811, 14635, 14449, 14256, 14053, 13842, 13623, 13395, 13160, 12916, 12665, 12406, 12140, 11866,
    11585, 11297, 11003, 10702, 10394, 10080, 9760, 9434, 9102, 8765, 8423, 8076, 7723, 7366, 7005, 6639,
    6270, 5897, 5520, 5139, 4756, 4370, 3981, 3590, 3196, 2801, 2404, 2006, 1606, 1205, 804, 402,
    0
};

static int cosine(int direction)
{
    const int i = direction & 127;
    const int v = i <= 64 ? quarter[i] : -quarter[128 - i];
    return direction & 128 ? -v : v;
}

static int sine(int direction)
{
    return cosine(direction + 192);
}

static uint64_t random_state;

static uint64_t random64(void)      /* splitmix64 */
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(int n)
{
    return (int)(((random64() >> 32) * (unsigned)n) >> 32);
}

/* v / 2^14, rounded to nearest; without a shift of a negative number */
static int scaled(int v)
{
    return (v + (1 << 28)  + (1 << 13)) / (1 << 14) - (1 << 14);
}

static point moved(point from, int direction, int length)
{
    const point to = {from.x + scaled(cosine(direction) * length), from.y + scaled(sine(direction) * length)};
    return to;
}

static int nearer(point a, point b, int distance)
{
    const int x = a.x - b.x, y = a.y - b.y;
    return x * x + y * y < distance * distance;
}

static int inside(point p)
{
    return p.x >= BORDER && p.y >= BORDER && p.x <= SIDE * ONE - BORDER && p.y <= SIDE * ONE - BORDER;
}

static paddle paddle_from(point first, int direction, int snake)
{
    paddle p;
    int i;
    p.direction = direction & 255;
    p.snake = snake;
    for (i = 0; i < POINTS; i++)
        p.at[i] = moved(first, direction, LENGTH * i / (POINTS - 1));
    return p;
}

/* May the paddle be there? The image's last paddle is its neighbour if it is of the same snake. */
static int fits(const image *m, const paddle *p)
{
    int i, j, k;
    if (!inside(p->at[0]) || !inside(p->at[POINTS - 1]))
        return 0;
    for (i = 0; i < m->count; i++) {
        const paddle *q = &m->paddles[i];
        if (!nearer(p->at[POINTS / 2], q->at[POINTS / 2], APART + LENGTH) || (i == m->count - 1 && q->snake == p->snake))
            continue;
        for (j = 0; j < POINTS; j++)
            for (k = 0; k < POINTS; k++)
                if (nearer(p->at[j], q->at[k], APART))
                    return 0;
    }
    for (i = 0; i < m->end_count; i++)                  /* room for the discs at the ends of snakes before this one */
        for (j = 0; j < POINTS; j++)
            if (nearer(p->at[j], m->ends[i], END_APART))
                return 0;
    return 1;
}

/* The ends of the long snake whose paddles begin at `first`: their discs need room */
static int add_ends(image *m, int first)
{
    const point ends[2] = {m->paddles[first].at[0], m->paddles[m->count - 1].at[POINTS - 1]};
    int e, i, j;
    for (e = 0; e < 2; e++) {
        for (i = 0; i < m->count; i++) {
            if (e == 0 ? i == first || i == first + 1 : i >= m->count - 2)
                continue;
            for (j = 0; j < POINTS; j++)
                if (nearer(m->paddles[i].at[j], ends[e], END_APART))
                    return 0;
        }
        for (i = 0; i < m->end_count; i++)
            if (nearer(m->ends[i], ends[e], ENDS_APART))
                return 0;
        m->ends[m->end_count++] = ends[e];
    }
    return 1;
}

/* One try at a snake of `length` paddles; on failure the image is as before */
static int add_snake(image *m, int snake, int length)
{
    const int first = m->count, end_count = m->end_count;
    int i, k, direction = below(256);
    point at;
    at.x = BORDER + below(SIDE * ONE - 2 * BORDER + 1);
    at.y = BORDER + below(SIDE * ONE - 2 * BORDER + 1);
    if (snake == 1 && nearer(at, m->paddles[0].at[0], SEEDS_APART))
        return 0;
    for (i = 0; i < length; i++) {
        paddle p;
        for (k = 0; k < (i == 0 ? 1 : TRIES); k++) {
            const int turned = i == 0 ? direction : direction + below(2 * TURN + 1) + below(2 * TURN + 1) + below(2 * TURN + 1) - 3 * TURN;
            p = paddle_from(i == 0 ? at : moved(at, turned, GAP), turned, snake);
            if (fits(m, &p))
                break;
        }
        if (k == (i == 0 ? 1 : TRIES))
            break;
        direction = p.direction;
        at = p.at[POINTS - 1];
        m->paddles[m->count++] = p;
    }
    if (i == length && (snake > 1 || add_ends(m, first)))
        return 1;
    m->count = first;
    m->end_count = end_count;
    return 0;
}

static void draw_snakes(image *m)
{
    int snake, tries;
    do {
        m->count = m->end_count = 0;
        for (snake = 0; snake < 2 + distractors; snake++) {
            const int most = snake < 2 ? 1000 : 200;
            for (tries = 0; tries < most && !add_snake(m, snake, snake < 2 ? contour : contour / 3); tries++)
                ;
            if (tries == most)
                break;
        }
    } while (snake < 2 + distractors);
}

/* How many of the pixel's 16 points are within the paddle, or within the disc */
static int covered(int column, int row, const paddle *p, const point *disc)
{
    int i, n = 0;
    for (i = 0; i < 16; i++) {
        const int x = column * ONE + i % 4 * (ONE / 4) + ONE / 8, y = row * ONE + i / 4 * (ONE / 4) + ONE / 8;
        if (p != NULL) {
            const point c = p->at[POINTS / 2];
            const int along = (x - c.x) * cosine(p->direction) + (y - c.y) * sine(p->direction);
            const int across = (y - c.y) * cosine(p->direction) - (x - c.x) * sine(p->direction);
            n += abs(along) <= LENGTH / 2 * (1 << 14) && abs(across) <= ONE / 4 * (1 << 14);
        } else {
            n += (x - disc->x) * (x - disc->x) + (y - disc->y) * (y - disc->y) <= RADIUS * RADIUS;
        }
    }
    return n;
}

static void paint(unsigned char *pixels, point middle, const paddle *p, int grey)
{
    const int column = middle.x / ONE, row = middle.y / ONE;
    int x, y;
    for (y = row - 2; y <= row + 2; y++)
        for (x = column - 2; x <= column + 2; x++)
            if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) {
                const int v = covered(x, y, p, &middle) * grey / 16;
                if (v > pixels[y * SIDE + x])
                    pixels[y * SIDE + x] = (unsigned char)v;
            }
}

static void put32(FILE *f, uint32_t v)
{
    unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16), (unsigned char)(v >> 24)};
    fwrite(b, 1, 4, f);
}

static void put_snakes(FILE *f, const image *m, const int *marked)
{
    int i;
    fputc(marked[0], f);
    fputc(marked[1], f);
    for (i = 0; i < m->count; i++) {
        const paddle *p = &m->paddles[i];
        fputc(p->at[0].x & 255, f);
        fputc(p->at[0].x >> 8, f);
        fputc(p->at[0].y & 255, f);
        fputc(p->at[0].y >> 8, f);
        fputc(p->direction, f);
    }
}

static int squared_distance(point a, point b)
{
    return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

/* The ends of two snakes that are about as far apart as those of the first one: else short distances tell that there are two */
static void mark(const image *m, int answer, int *marked)
{
    const int wanted = squared_distance(m->ends[0], m->ends[1]);
    int i, best = 0, least = 0;
    for (i = 0; i < 4; i++) {
        const int off = abs(squared_distance(m->ends[i / 2], m->ends[2 + i % 2]) - wanted);
        if (i == 0 || off < least) {
            least = off;
            best = i;
        }
    }
    marked[0] = answer ? 0 : best / 2;
    marked[1] = answer ? 1 : 2 + best % 2;
}

/* Fills the pixels; returns the answer */
static int make_image(unsigned char *pixels, FILE *snakes)
{
    image m;
    int i, marked[2];
    const int answer = below(2);
    draw_snakes(&m);
    mark(&m, answer, marked);
    memset(pixels, 0, PIXELS);
    for (i = 0; i < m.count; i++)
        paint(pixels, m.paddles[i].at[POINTS / 2], &m.paddles[i], GREY);
    for (i = 0; i < 2; i++)
        paint(pixels, m.ends[marked[i]], NULL, WHITE);
    put_snakes(snakes, &m, marked);
    return answer;
}

static FILE *open_part(const char *folder, const char *name, const char *kind)
{
    char path[4096];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    f = fopen(path, "wb");
    if (f == NULL)
        fprintf(stderr, "pathfinder: cannot write %s\n", path);
    return f;
}

static int close_part(FILE *f, const char *name)
{
    const int ok = !ferror(f);
    if (fclose(f) == 0 && ok)
        return 1;
    return fprintf(stderr, "pathfinder: cannot write %s\n", name), 0;
}

static int write_part(const char *folder, const char *name, size_t count)
{
    unsigned char *pixels = malloc(count * PIXELS + 1), *answers = malloc(count + 1);
    FILE *f = open_part(folder, name, "bin"), *snakes = f == NULL ? NULL : open_part(folder, name, "snakes");
    size_t i, ones = 0;
    if (pixels == NULL || answers == NULL)
        return fprintf(stderr, "pathfinder: not enough memory\n"), 0;
    if (f == NULL || snakes == NULL)
        return 0;
    fwrite("B2S6SNAK", 1, 8, snakes);
    put32(snakes, 1);
    put32(snakes, (uint32_t)count);
    put32(snakes, (uint32_t)contour);
    put32(snakes, (uint32_t)distractors);
    put32(snakes, (uint32_t)contour / 3);
    for (i = 0; i < count; i++)
        ones += answers[i] = (unsigned char)make_image(pixels + i * PIXELS, snakes);
    fwrite("B2S6PATH", 1, 8, f);
    put32(f, 1);
    put32(f, (uint32_t)count);
    put32(f, (uint32_t)(count * PIXELS));
    for (i = 0; i < count; i++)
        put32(f, PIXELS);
    fwrite(answers, 1, count, f);
    fwrite(pixels, 1, count * PIXELS, f);
    free(pixels);
    free(answers);
    printf("%s/%s.bin: %lu images, %lu of one snake\n", folder, name, (unsigned long)count, (unsigned long)ones);
    return close_part(f, name) & close_part(snakes, name);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"test", "valid", "train"};     /* so that fewer training images change no test */
    size_t counts[] = {20000, 20000, 160000};
    int i;
    if (argc != 3 && argc != 6 && argc != 8)
        return fprintf(stderr, "usage: pathfinder SEED FOLDER [TRAIN VALID TEST [CONTOUR DISTRACTORS]]\n"), 2;
    if (argc == 8) {
        contour = atoi(argv[6]);
        distractors = atoi(argv[7]);
        if (contour < 3 || contour > CONTOUR || distractors < 0 || distractors > SNAKES)
            return fprintf(stderr, "pathfinder: CONTOUR is 3 to %d, DISTRACTORS 0 to %d\n", CONTOUR, SNAKES), 2;
    }
    for (i = 3; i < argc && i < 6; i++)
        counts[5 - i] = strtoul(argv[i], NULL, 10);
    for (i = 0; i < 3; i++)
        if (counts[i] > 4000000)
            return fprintf(stderr, "pathfinder: at most 4000000 images a file\n"), 2;
    for (i = 0; i < 3; i++) {
        random_state = strtoull(argv[1], NULL, 10) * 3 + (uint64_t)i;
        if (!write_part(argv[2], names[i], counts[i]))
            return 1;
    }
    return 0;
}
