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
