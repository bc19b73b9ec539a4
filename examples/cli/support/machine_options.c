/* machine_options.c - checks --threads and --isa for every verb that has them, and starts the threads */
#include "machine_options.h"

#include <stdio.h>
#include <string.h>

#include "option_values.h"

enum { MAX_THREADS = 256 };

/* "portable, sse2, avx2" */
static const char *names_of_isas(char *text, size_t size)
{
    const char *name;
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; (name = b2s6_isa_name(i)) != NULL && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", name);
    return text;
}

static int check_isa(const cli_verb *verb, const char *isa)
{
    const char *name;
    char names[200];
    for (size_t i = 0; (name = b2s6_isa_name(i)) != NULL; i++)
        if (strcmp(name, isa) == 0)
            return b2s6_isa_is_available(i) ? 0 : cli_fail("this machine cannot run the instruction set %s", name);
    return cli_usage(verb, "%s: there is no instruction set %.40s; this program has %s", verb->name, isa,
                     names_of_isas(names, sizeof names));
}

int machine_take(machine *m, const cli_verb *verb, const char *threads, const char *isa)
{
    int status = isa ? check_isa(verb, isa) : 0;
    uint64_t n = 1;
    const int is_number = option_number(threads, 1, MAX_THREADS, &n) == 0;
    m->n_threads = (size_t)n;
    m->pool = NULL;
    m->isa = isa;
    if (status == 0 && !is_number)
        return cli_usage(verb, "%s: --threads takes a number from 1 to %d, not %.40s", verb->name, MAX_THREADS, threads);
    if (status == 0 && m->n_threads > 1 && (m->pool = thread_pool_create(m->n_threads)) == NULL)
        return cli_fail("%zu threads cannot be started", m->n_threads);
    m->n_threads = thread_pool_threads(m->pool);
    return status;
}

void machine_release(machine *m)
{
    thread_pool_destroy(m->pool);
    m->pool = NULL;
}
