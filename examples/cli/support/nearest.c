/* nearest.c - the distance between two words, by letters */
#include "nearest.h"

#include <string.h>

enum { WORD_MAX = 24 };

static int least(int a, int b, int c)
{
    const int two = a < b ? a : b;
    return two < c ? two : c;
}

/* d[i][k]: the distance of the first i letters of one word from the first k of the other. */
static int edits(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= n_a; i++)
        d[i][0] = (int)i;
    for (size_t k = 0; k <= n_b; k++)
        d[0][k] = (int)k;
    for (size_t i = 1; i <= n_a; i++)
        for (size_t k = 1; k <= n_b; k++) {
            d[i][k] = least(d[i - 1][k] + 1, d[i][k - 1] + 1, d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && d[i - 2][k - 2] + 1 < d[i][k])
                d[i][k] = d[i - 2][k - 2] + 1;
        }
    return d[n_a][n_b];
}

int nearest_distance(const char *typed, const char *right)
{
    const size_t n_typed = strlen(typed), n_right = strlen(right);
    int distance;
    if (n_typed == 0 || n_typed > WORD_MAX || n_right > WORD_MAX)
        return NEAREST_FAR;
    if (n_typed >= 2 && n_typed < n_right && strncmp(typed, right, n_typed) == 0)
        return 1;
    distance = edits(typed, n_typed, right, n_right);
    return distance * 3 <= (int)(n_typed > n_right ? n_typed : n_right) ? distance : NEAREST_FAR;
}
