/*
 * pickle.c - see pickle.h: what comes out of the machine, checked to be a state_dict
 *
 * The machine is in pickle_machine.c.
 */
#include "pickle.h"

#include <stdlib.h>
#include <string.h>

#include "pickle_machine.h"

static int shown(size_t size)
{
    return (int)(size < 80 ? size : 80);
}

/* One pair of the state_dict. */
static int add_tensor(pickle *p, const pickle_machine *v, const pickle_pair *pair, message *m)
{
    pickle_tensor *t = &p->tensors[p->n_tensors];
    if (pair->key.kind != PICKLE_STRING || pair->key.n == 0)
        return complain(m, "data.pkl: not a state_dict: a key is no name; save model.state_dict() alone");
    if (memchr(pair->key.as.text, 0, pair->key.n))
        return complain(m, "data.pkl: a tensor's name holds a zero byte");
    if (pair->value.kind != PICKLE_TENSOR)
        return complain(m, "data.pkl: not a state_dict: its entry %.*s is no tensor; of a training checkpoint save the "
                           "model's state_dict() alone", shown(pair->key.n), pair->key.as.text);
    *t = v->tensors[pair->value.n];
    t->name = pair->key.as.text;
    t->name_size = pair->key.n;
    p->n_tensors++;
    return 0;
}

static int take_result(pickle *p, const pickle_machine *v, message *m)
{
    const pickle_value result = v->stack[0];
    if (result.kind != PICKLE_DICT)
        return complain(m, "data.pkl: not a state_dict but another object; save model.state_dict() alone");
    p->tensors = malloc((v->n_pairs + 1) * sizeof *p->tensors);
    if (!p->tensors)
        return complain(m, "out of memory");
    for (size_t i = 0; i < v->n_pairs; i++)
        if (v->pairs[i].dict == result.n && add_tensor(p, v, &v->pairs[i], m) != 0)
            return -1;
    return 0;
}

int pickle_read(pickle *p, const unsigned char *bytes, size_t size, message *m)
{
    pickle_machine v;
    int failed;
    memset(p, 0, sizeof *p);
    if (size > PICKLE_BYTES_MAX)
        return complain(m, "data.pkl has %zu bytes, more than the %u that any state_dict needs", size, PICKLE_BYTES_MAX);
    failed = pickle_machine_run(&v, bytes, size, m) != 0 || take_result(p, &v, m) != 0;
    pickle_machine_free(&v);
    if (failed)
        pickle_close(p);
    return failed ? -1 : 0;
}

void pickle_close(pickle *p)
{
    free(p->tensors);
    p->tensors = NULL;
    p->n_tensors = 0;
}
