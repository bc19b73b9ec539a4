/* token_list.c - see token_list.h */
#include "token_list.h"

#include <stdlib.h>

int token_list_grow(token_list *list)
{
    const size_t room = list->room ? list->room * 2 : 256;
    int32_t *ids = room <= SIZE_MAX / 8 ? realloc(list->ids, room * sizeof *ids) : NULL;
    if (!ids)
        return -1;
    list->ids = ids;
    list->room = room;
    return 0;
}
