/* listops.c - writes the ListOps task of the Long Range Arena: nested lists of digits, the answer a digit
 *
 *     cc -O2 -o listops listops.c
 *     ./listops SEED FOLDER [TRAIN VALID TEST [SHORTEST LONGEST]]        96000 2000 2000 501 1999 unless given
 *
 * A node is a digit with probability 3/4, else an operator of MIN, MAX, MED, SM (sum modulo 10) with 2 to 10 arguments, all uniform;
 * at depth 10 (the root has depth 1) it is a digit. A sequence is kept when it has more than 500 and fewer than 2000 tokens, and
 * is no copy of one before it. The answer of MED is the integer part of the median.
 *
 * Writes FOLDER/train.bin, valid.bin and test.bin, little-endian: "B2S6LOPS", u32 version 1, u32 count, u32 tokens in all, u32 lengths
 * (count), u8 answers (count), u8 tokens: 0 to 9 digits, 10 MIN, 11 MAX, 12 MED, 13 SM, 14 the end of a list. The same seed gives the
 * same bytes everywhere.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN = 10, MAX, MED, SM, END, DEPTH = 10, ARGUMENTS = 10, LONGEST = 1999 };

static size_t least = 501, most = LONGEST;      /* tokens of a sequence that is kept */

static uint64_t random_state;

static uint64_t random64(void)      /* splitmix64 */
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)   /* the top 32 bits times n: no bias worth 2^-28 */
{
    return (unsigned)(((random64() >> 32) * n) >> 32);
}

static int by_value(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static unsigned answer(unsigned op, unsigned char *v, unsigned count)
{
    unsigned i, sum = 0;
    qsort(v, count, 1, by_value);
    for (i = 0; i < count; i++)
        sum += v[i];
    if (op == MIN)
        return v[0];
    if (op == MAX)
        return v[count - 1];
    if (op == SM)
        return sum % 10;
    return count % 2 ? v[count / 2] : (v[count / 2 - 1] + v[count / 2]) / 2u;
}

/* Appends a node to tokens; returns its value. Beyond the longest it only counts. */
static unsigned node(unsigned char *tokens, size_t *length, int depth)
{
    unsigned char values[ARGUMENTS];
    unsigned op, count, i;
    if (*length > most)
        return 0;
    if (depth == DEPTH || below(4) < 3) {
        unsigned digit = below(10);
        tokens[(*length)++] = (unsigned char)digit;
        return digit;
    }
    op = MIN + below(4);
    count = 2 + below(ARGUMENTS - 1);
    tokens[(*length)++] = (unsigned char)op;
    for (i = 0; i < count; i++)
        values[i] = (unsigned char)node(tokens, length, depth + 1);
    if (*length <= most)
        tokens[(*length)++] = END;
    else
        ++*length;
    return answer(op, values, count);
}

/* The sequences seen so far, by a hash of 64 bits: open addressing, 0 is empty */
static uint64_t *seen;
static size_t seen_size;

static int is_new(const unsigned char *tokens, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    size_t i;
    for (i = 0; i < length; i++)
        hash = (hash ^ tokens[i]) * 0x100000001b3u;
    hash += hash == 0;
    for (i = hash % seen_size; seen[i] != 0; i = (i + 1) % seen_size)
        if (seen[i] == hash)
            return 0;
    seen[i] = hash;
    return 1;
}

static void put32(FILE *f, uint32_t v)
{
    unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16), (unsigned char)(v >> 24)};
    fwrite(b, 1, 4, f);
}

static int write_part(const char *folder, const char *name, size_t count)
{
    unsigned char *all = malloc(count * most + 1), *answers = malloc(count + 1), *at = all;
    uint32_t *lengths = malloc((count + 1) * sizeof *lengths);
    char path[4096];
    size_t i = 0;
    FILE *f;
    int ok;
    if (all == NULL || answers == NULL || lengths == NULL)
        return fprintf(stderr, "listops: not enough memory\n"), 0;
    while (i < count) {
        static unsigned char one[LONGEST + 16 * DEPTH];
        size_t length = 0;
        unsigned value = node(one, &length, 1);
        if (length < least || length > most || !is_new(one, length))
            continue;
        memcpy(at, one, length);
        at += length;
        lengths[i] = (uint32_t)length;
        answers[i++] = (unsigned char)value;
    }
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    f = fopen(path, "wb");
    if (f == NULL)
        return fprintf(stderr, "listops: cannot write %s\n", path), 0;
    fwrite("B2S6LOPS", 1, 8, f);
    put32(f, 1);
    put32(f, (uint32_t)count);
    put32(f, (uint32_t)(at - all));
    for (i = 0; i < count; i++)
        put32(f, lengths[i]);
    fwrite(answers, 1, count, f);
    fwrite(all, 1, (size_t)(at - all), f);
    ok = !ferror(f);
    if (fclose(f) != 0 || !ok)
        return fprintf(stderr, "listops: cannot write %s\n", path), 0;
    printf("%s: %lu sequences, %lu tokens\n", path, (unsigned long)count, (unsigned long)(at - all));
    free(all);
    free(answers);
    free(lengths);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"test", "valid", "train"};     /* so that fewer training sequences change no test */
    size_t counts[] = {2000, 2000, 96000};
    int i;
    if (argc != 3 && argc != 6 && argc != 8)
        return fprintf(stderr, "usage: listops SEED FOLDER [TRAIN VALID TEST [SHORTEST LONGEST]]\n"), 2;
    if (argc == 8) {
        least = strtoul(argv[6], NULL, 10);
        most = strtoul(argv[7], NULL, 10);
        if (least > most || most > LONGEST)
            return fprintf(stderr, "listops: SHORTEST and LONGEST are 1 to %d, in order\n", LONGEST), 2;
    }
    for (i = 3; i < argc && i < 6; i++)
        counts[5 - i] = strtoul(argv[i], NULL, 10);
    seen_size = 2 * (counts[0] + counts[1] + counts[2]) + 16;
    seen = calloc(seen_size, sizeof *seen);
    if (seen == NULL)
        return fprintf(stderr, "listops: not enough memory\n"), 1;
    random_state = strtoull(argv[1], NULL, 10);
    for (i = 0; i < 3; i++)
        if (!write_part(argv[2], names[i], counts[i]))
            return 1;
    return 0;
}
