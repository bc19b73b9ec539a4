/* option_values.c - see option_values.h */
#include "option_values.h"

#include <errno.h>
#include <stdlib.h>

#define THREADS_MOST 256

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

int option_threads(const cli_verb *verb, const char *text, thread_pool **pool)
{
    uint64_t n = 1;
    *pool = NULL;
    if (option_number(text, 1, THREADS_MOST, &n) != 0)
        return cli_usage(verb, "%s: --threads %.100s: a number from 1 to %d is needed", verb->name, text, THREADS_MOST);
    if (n > 1)
        *pool = thread_pool_create((size_t)n);
    return n > 1 && !*pool ? cli_fail("%s threads cannot be started", text) : 0;
}
