/* token_list.h - a list of ids grows */
#ifndef B2S6_CLI_TOKEN_LIST_H
#define B2S6_CLI_TOKEN_LIST_H

#include "tokenizer.h"

int token_list_grow(token_list *list);

/* 0, or -1 for want of memory. */
static inline int token_list_add(token_list *list, uint32_t id)
{
    if (list->n == list->room && token_list_grow(list) != 0)
        return -1;
    list->ids[list->n++] = (int32_t)id;
    return 0;
}

#endif
