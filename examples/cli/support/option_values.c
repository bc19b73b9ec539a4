/* option_values.c - reads the numbers that options give */
#include "option_values.h"

#include <errno.h>
#include <stdlib.h>

int option_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    unsigned long long number;
    if (!text)
        return 0;
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (*end != 0 || errno != 0 || number < least || number > most)
        return -1;
    *value = number;
    return 0;
}

/* All digits and their power of ten are exact in a double, so that the quotient is the nearest one. */
int option_real(const char *text, double least, double most, float *value)
{
    double digits = 0, unit = 1;
    int n = 0, after_point = 0;
    if (!text)
        return 0;
    for (; *text; text++) {
        if (*text == '.' && !after_point) {
            after_point = 1;
            continue;
        }
        if (*text < '0' || *text > '9' || n == 9)
            return -1;
        digits = digits * 10 + (*text - '0');
        unit *= after_point ? 10 : 1;
        n++;
    }
    if (n == 0 || digits / unit < least || digits / unit > most)
        return -1;
    *value = (float)(digits / unit);
    return 0;
}
