/* named_entry.c - see named_entry.h */
#include "named_entry.h"

#include <stdlib.h>
#include <string.h>

#include "src/format_numbers.h"

/* The order of the file: that of the names' bytes. */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const named_entry *)a)->name, ((const named_entry *)b)->name);
}

int named_entries_sort(named_entry *entries, size_t n, message *m)
{
    if (n > FORMAT_MAX_ENTRIES)
        return complain(m, "%zu entries are too many: a model file has room for %d", n, (int)FORMAT_MAX_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        const named_entry *e = &entries[i];
        if (e->name[0] == 0)
            return complain(m, "an entry has no name: give it as NAME=FILE");
        if (strlen(e->name) >= FORMAT_ENTRY_NAME_BYTES)
            return complain(m, "the entry's name %.60s is too long: at most %d bytes", e->name,
                            (int)FORMAT_ENTRY_NAME_BYTES - 1);
        if (e->size == 0)
            return complain(m, "the entry %s is empty: it needs at least one byte", e->name);
    }
    if (n > 1)
        qsort(entries, n, sizeof *entries, by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(entries[i - 1].name, entries[i].name) == 0)
            return complain(m, "two entries are called %s: give each a name of its own", entries[i].name);
    return 0;
}
