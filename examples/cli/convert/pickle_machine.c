/* pickle_machine.c - see pickle_machine.h: the opcodes, the names that may be asked for, and what calling them gives */
#include "pickle_machine.h"

#include <stdlib.h>
#include <string.h>

/* All that a state_dict asks for. type: of the values of a storage, NULL for what is none. */
enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER };
static const struct {
    const char *module, *name, *type;
    size_t value_size;
} globals[] = {
    { "collections", "OrderedDict", NULL, 0 },
    { "torch._utils", "_rebuild_tensor_v2", NULL, 0 },
    { "torch._utils", "_rebuild_parameter", NULL, 0 },
    { "torch", "FloatStorage", "F32", 4 },
    { "torch", "HalfStorage", "F16", 2 },
    { "torch", "BFloat16Storage", "BF16", 2 },
    { "torch", "DoubleStorage", "F64", 8 },
    { "torch", "LongStorage", "I64", 8 },
    { "torch", "IntStorage", "I32", 4 },
    { "torch", "ByteStorage", "U8", 1 },
};
enum { N_GLOBALS = sizeof globals / sizeof globals[0] };

/* ------------------------------------------------------------------------------------------------------------- arrays */

/* The array with room for one more than n values of this size; NULL, with the line in m, if there is none. */
static void *grown(void *array, size_t *room, size_t n, size_t value_size, message *m)
{
    size_t more = *room ? 2 * *room : 64;
    if (n < *room)
        return array;
    array = more > SIZE_MAX / value_size ? NULL : realloc(array, more * value_size);
    if (array)
        *room = more;
    else
        complain(m, "out of memory");
    return array;
}

static int broken(pickle_machine *v)
{
    return complain(v->m, "data.pkl is damaged, or made by another program than PyTorch (byte %zu): load the model and save it "
                          "again", (size_t)(v->at - v->begin));
}

static int push(pickle_machine *v, pickle_value value)
{
    pickle_value *stack;
    if (v->n_stack == PICKLE_STACK)
        return complain(v->m, "data.pkl: more than %u values on the stack, which no state_dict needs", PICKLE_STACK);
    stack = grown(v->stack, &v->room_stack, v->n_stack, sizeof *stack, v->m);
    if (!stack)
        return -1;
    v->stack = stack;
    v->stack[v->n_stack++] = value;
    return 0;
}

static int push_kind(pickle_machine *v, pickle_kind kind, size_t n)
{
    pickle_value value = { kind, (uint32_t)n, { 0 } };
    return push(v, value);
}

static int push_integer(pickle_machine *v, int64_t integer)
{
    pickle_value value = { PICKLE_INTEGER, 0, { 0 } };
    value.as.integer = integer;
    return push(v, value);
}

/* Values above the last mark; none of those below it can be taken. */
static size_t available(const pickle_machine *v)
{
    return v->n_stack - (v->n_marks ? v->marks[v->n_marks - 1] : 0);
}

/* The value on top; NULL if there is none above the last mark. */
static pickle_value *top(pickle_machine *v)
{
    return available(v) > 0 ? &v->stack[v->n_stack - 1] : NULL;
}

/* Takes the last mark away; *first is the lowest value above it. */
static int end_mark(pickle_machine *v, size_t *first)
{
    if (v->n_marks == 0)
        return broken(v);
    *first = v->marks[--v->n_marks];
    return 0;
}

/* ------------------------------------------------------------------------------------------------ what follows an opcode */

/* The next n bytes of the program; NULL if it is over before. */
static const unsigned char *next_bytes(pickle_machine *v, size_t n)
{
    const unsigned char *bytes = v->at;
    if ((size_t)(v->end - v->at) < n)
        return NULL;
    v->at += n;
    return bytes;
}

/* A little-endian number of n bytes. */
static int next_number(pickle_machine *v, size_t n, uint64_t *number)
{
    const unsigned char *bytes = next_bytes(v, n);
    if (!bytes)
        return broken(v);
    for (*number = 0; n-- > 0; )
        *number = *number << 8 | bytes[n];
    return 0;
}

/* To the end of a line, which is not part of it. */
static const char *next_line(pickle_machine *v, size_t *size)
{
    const unsigned char *begin = v->at, *end = memchr(begin, '\n', (size_t)(v->end - v->at));
    if (!end)
        return NULL;
    *size = (size_t)(end - begin);
    v->at = end + 1;
    return (const char *)begin;
}

/* ------------------------------------------------------------------------------------------------------------ constants */

static int op_nothing(pickle_machine *v)
{
    return push_kind(v, PICKLE_NOTHING, 0);
}

static int op_boolean(pickle_machine *v)
{
    return push_kind(v, PICKLE_BOOLEAN, 0);
}

static int op_int_1(pickle_machine *v)
{
    uint64_t number = 0;
    return next_number(v, 1, &number) != 0 ? -1 : push_integer(v, (int64_t)number);
}

static int op_int_2(pickle_machine *v)
{
    uint64_t number = 0;
    return next_number(v, 2, &number) != 0 ? -1 : push_integer(v, (int64_t)number);
}

/* A number of n bytes with a sign: the value of the highest bit counts against the others. */
static int signed_number(pickle_machine *v, size_t n)
{
    uint64_t number = 0, half;
    if (next_number(v, n, &number) != 0)
        return -1;
    half = n ? (uint64_t)1 << (8 * n - 1) : 0;
    if (n == 0 || number < half)
        return push_integer(v, (int64_t)number);
    return push_integer(v, -(int64_t)(half - 1 - (number - half)) - 1);
}

static int op_int_4(pickle_machine *v)
{
    return signed_number(v, 4);
}

static int op_long(pickle_machine *v)
{
    uint64_t n = 0;
    if (next_number(v, 1, &n) != 0)
        return -1;
    return n > 8 ? complain(v->m, "data.pkl: a number of %u bytes, which no state_dict needs", (unsigned)n)
                 : signed_number(v, (size_t)n);
}

static int op_float(pickle_machine *v)
{
    return next_bytes(v, 8) ? push_kind(v, PICKLE_NOTHING, 0) : broken(v);
}

static int op_string(pickle_machine *v)
{
    pickle_value value = { PICKLE_STRING, 0, { 0 } };
    uint64_t n = 0;
    if (next_number(v, 4, &n) != 0)
        return -1;
    value.as.text = (const char *)next_bytes(v, (size_t)n);
    value.n = (uint32_t)n;
    return value.as.text ? push(v, value) : broken(v);
}

static int is_text(const char *text, size_t size, const char *other)
{
    return size == strlen(other) && memcmp(text, other, size) == 0;
}

/* A name, which is not looked up anywhere but in the list above. */
static int op_global(pickle_machine *v)
{
    size_t module_size, name_size;
    const char *module = next_line(v, &module_size), *name = module ? next_line(v, &name_size) : NULL;
    if (!name)
        return broken(v);
    for (size_t i = 0; i < N_GLOBALS; i++)
        if (is_text(module, module_size, globals[i].module) && is_text(name, name_size, globals[i].name))
            return push_kind(v, PICKLE_GLOBAL, i);
    return complain(v->m, "data.pkl asks for %.*s.%.*s, which no state_dict needs and which was not called: save "
                          "model.state_dict() alone", (int)(module_size < 60 ? module_size : 60), module, (int)(name_size < 60 ? name_size : 60), name);
}

/* ----------------------------------------------------------------------------------------------------------- containers */

static int op_mark(pickle_machine *v)
{
    if (v->n_marks == PICKLE_MARKS)
        return complain(v->m, "data.pkl is nested more than %d deep, which no state_dict needs", PICKLE_MARKS);
    v->marks[v->n_marks++] = v->n_stack;
    return 0;
}

static int op_dict(pickle_machine *v)
{
    return push_kind(v, PICKLE_DICT, v->n_dicts++);
}

static int op_list(pickle_machine *v)
{
    return push_kind(v, PICKLE_LIST, 0);
}

/* The values from first on become a tuple. */
static int make_tuple(pickle_machine *v, size_t first)
{
    pickle_value value = { PICKLE_TUPLE, (uint32_t)(v->n_stack - first), { 0 } };
    value.as.first = v->n_items;
    for (size_t i = first; i < v->n_stack; i++) {
        pickle_value *items = grown(v->items, &v->room_items, v->n_items, sizeof *items, v->m);
        if (!items)
            return -1;
        v->items = items;
        v->items[v->n_items++] = v->stack[i];
    }
    v->n_stack = first;
    return push(v, value);
}

static int op_tuple(pickle_machine *v)
{
    size_t first = 0;
    return end_mark(v, &first) != 0 ? -1 : make_tuple(v, first);
}

static int tuple_of(pickle_machine *v, size_t n)
{
    return available(v) < n ? broken(v) : make_tuple(v, v->n_stack - n);
}

static int op_tuple_0(pickle_machine *v)
{
    return tuple_of(v, 0);
}

static int op_tuple_1(pickle_machine *v)
{
    return tuple_of(v, 1);
}

static int op_tuple_2(pickle_machine *v)
{
    return tuple_of(v, 2);
}

static int op_tuple_3(pickle_machine *v)
{
    return tuple_of(v, 3);
}

/* The values from first on, keys and values in turn, go into the dict before them. */
static int set_items(pickle_machine *v, size_t first)
{
    const size_t floor = v->n_marks ? v->marks[v->n_marks - 1] : 0;
    if (first <= floor || v->stack[first - 1].kind != PICKLE_DICT || (v->n_stack - first) % 2 != 0)
        return broken(v);
    for (size_t i = first; i < v->n_stack; i += 2) {
        pickle_pair *pairs = grown(v->pairs, &v->room_pairs, v->n_pairs, sizeof *pairs, v->m);
        if (!pairs)
            return -1;
        v->pairs = pairs;
        v->pairs[v->n_pairs++] = (pickle_pair){ v->stack[first - 1].n, v->stack[i], v->stack[i + 1] };
    }
    v->n_stack = first;
    return 0;
}

static int op_set_item(pickle_machine *v)
{
    return available(v) < 3 ? broken(v) : set_items(v, v->n_stack - 2);
}

static int op_set_items(pickle_machine *v)
{
    size_t first = 0;
    return end_mark(v, &first) != 0 ? -1 : set_items(v, first);
}

/* The values from first on go into the list before them. */
static int append(pickle_machine *v, size_t first)
{
    const size_t floor = v->n_marks ? v->marks[v->n_marks - 1] : 0;
    if (first <= floor || v->stack[first - 1].kind != PICKLE_LIST)
        return broken(v);
    v->n_stack = first;
    return 0;
}

static int op_append(pickle_machine *v)
{
    return available(v) < 2 ? broken(v) : append(v, v->n_stack - 1);
}

static int op_appends(pickle_machine *v)
{
    size_t first = 0;
    return end_mark(v, &first) != 0 ? -1 : append(v, first);
}

/* ----------------------------------------------------------------------------------------------------------------- memo */

/* Makes room for one more than n; what is new is not set. */
static int grow_memo(pickle_machine *v, size_t n)
{
    size_t room = v->n_memo ? v->n_memo : 64;
    pickle_memo *memo;
    while (room <= n)
        room *= 2;
    if (room == v->n_memo)
        return 0;
    memo = realloc(v->memo, room * sizeof *memo);
    if (!memo)
        return complain(v->m, "out of memory");
    memset(memo + v->n_memo, 0, (room - v->n_memo) * sizeof *memo);
    v->memo = memo;
    v->n_memo = room;
    return 0;
}

static int put(pickle_machine *v, size_t index_bytes)
{
    uint64_t index = 0;
    if (next_number(v, index_bytes, &index) != 0)
        return -1;
    if (!top(v) || index >= (uint64_t)(v->end - v->begin))  /* no pickle has more values than bytes */
        return broken(v);
    if (grow_memo(v, (size_t)index) != 0)
        return -1;
    v->memo[index].value = *top(v);
    v->memo[index].set = 1;
    return 0;
}

static int get(pickle_machine *v, size_t index_bytes)
{
    uint64_t index = 0;
    if (next_number(v, index_bytes, &index) != 0)
        return -1;
    return index >= v->n_memo || !v->memo[index].set ? broken(v) : push(v, v->memo[index].value);
}

static int op_put_1(pickle_machine *v)
{
    return put(v, 1);
}

static int op_put_4(pickle_machine *v)
{
    return put(v, 4);
}

static int op_get_1(pickle_machine *v)
{
    return get(v, 1);
}

static int op_get_4(pickle_machine *v)
{
    return get(v, 4);
}

/* --------------------------------------------------------------------------------------------------- storages and tensors */

static const pickle_value *items_of(const pickle_machine *v, const pickle_value *tuple)
{
    return tuple->n ? &v->items[tuple->as.first] : NULL;
}

/* ("storage", class, key, location, count): the location, "cpu" or "cuda:0", changes nothing. */
static int op_persistent(pickle_machine *v)
{
    const pickle_value *tuple = top(v), *item;
    pickle_tensor *storages, *s;
    if (!tuple || tuple->kind != PICKLE_TUPLE || tuple->n != 5)
        return broken(v);
    item = items_of(v, tuple);
    if (item[0].kind != PICKLE_STRING || !is_text(item[0].as.text, item[0].n, "storage") || item[1].kind != PICKLE_GLOBAL ||
        !globals[item[1].n].type || item[2].kind != PICKLE_STRING || item[3].kind != PICKLE_STRING ||
        item[4].kind != PICKLE_INTEGER || item[4].as.integer < 0)
        return broken(v);
    storages = grown(v->storages, &v->room_storages, v->n_storages, sizeof *storages, v->m);
    if (!storages)
        return -1;
    v->storages = storages;
    s = &v->storages[v->n_storages++];
    memset(s, 0, sizeof *s);
    s->key = item[2].as.text;
    s->key_size = item[2].n;
    s->type = globals[item[1].n].type;
    s->value_size = globals[item[1].n].value_size;
    s->count = (uint64_t)item[4].as.integer;
    v->n_stack--;
    return push_kind(v, PICKLE_STORAGE, v->n_storages - 1);
}

/* A tuple of integers that are not negative. */
static int read_sizes(const pickle_machine *v, const pickle_value *tuple, uint64_t *sizes, size_t *n)
{
    const pickle_value *item = items_of(v, tuple);
    if (tuple->kind != PICKLE_TUPLE || tuple->n > PICKLE_DIMS)
        return 0;
    *n = tuple->n;
    for (size_t i = 0; i < tuple->n; i++) {
        if (item[i].kind != PICKLE_INTEGER || item[i].as.integer < 0)
            return 0;
        sizes[i] = (uint64_t)item[i].as.integer;
    }
    return 1;
}

/* (storage, offset, shape, stride, requires_grad, hooks [, metadata]) */
static int rebuild_tensor(pickle_machine *v, const pickle_value *args, size_t n_args)
{
    pickle_tensor *tensors, *t;
    size_t n_strides;
    if ((n_args != 6 && n_args != 7) || args[0].kind != PICKLE_STORAGE || args[1].kind != PICKLE_INTEGER ||
        args[1].as.integer < 0 || args[4].kind != PICKLE_BOOLEAN || args[5].kind != PICKLE_DICT)
        return broken(v);
    tensors = grown(v->tensors, &v->room_tensors, v->n_tensors, sizeof *tensors, v->m);
    if (!tensors)
        return -1;
    v->tensors = tensors;
    t = &v->tensors[v->n_tensors];
    *t = v->storages[args[0].n];
    t->offset = (uint64_t)args[1].as.integer;
    if (!read_sizes(v, &args[2], t->dims, &t->n_dims) || !read_sizes(v, &args[3], t->strides, &n_strides) ||
        n_strides != t->n_dims)
        return complain(v->m, "data.pkl: a tensor of storage %.*s has a shape or strides that are not up to %d sizes each, none "
                              "negative: save a copy of it, .contiguous()", (int)(t->key_size < 40 ? t->key_size : 40), t->key,
                        PICKLE_DIMS);
    v->n_stack -= 2;
    return push_kind(v, PICKLE_TENSOR, v->n_tensors++);
}

/* Calls one of the three that can be: name and arguments are the two values on top. */
static int op_reduce(pickle_machine *v)
{
    const pickle_value *name, *tuple, *args;
    if (available(v) < 2)
        return broken(v);
    name = &v->stack[v->n_stack - 2];
    tuple = name + 1;
    if (name->kind != PICKLE_GLOBAL || tuple->kind != PICKLE_TUPLE)
        return broken(v);
    args = items_of(v, tuple);
    if (name->n == REBUILD_TENSOR)
        return rebuild_tensor(v, args, tuple->n);
    if (name->n == ORDERED_DICT && tuple->n == 0) {
        v->n_stack -= 2;
        return op_dict(v);
    }
    if (name->n == REBUILD_PARAMETER && tuple->n == 3 && args[0].kind == PICKLE_TENSOR && args[1].kind == PICKLE_BOOLEAN &&
        args[2].kind == PICKLE_DICT) {
        v->n_stack -= 2;
        return push(v, args[0]);
    }
    return broken(v);
}

/* Sets the attributes of the object below: an ordered dict's, {"_metadata": ...}, of no use here. */
static int op_build(pickle_machine *v)
{
    if (available(v) < 2 || v->stack[v->n_stack - 2].kind != PICKLE_DICT)
        return broken(v);
    v->n_stack--;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------------- running */

typedef int operation(pickle_machine *v);
static operation *const operations[256] = {
    ['('] = op_mark, [')'] = op_tuple_0, ['}'] = op_dict, [']'] = op_list, ['N'] = op_nothing, [0x88] = op_boolean,
    [0x89] = op_boolean, ['K'] = op_int_1, ['M'] = op_int_2, ['J'] = op_int_4, [0x8a] = op_long, ['G'] = op_float,
    ['X'] = op_string, ['c'] = op_global, ['Q'] = op_persistent, [0x85] = op_tuple_1, [0x86] = op_tuple_2, [0x87] = op_tuple_3,
    ['t'] = op_tuple, ['q'] = op_put_1, ['r'] = op_put_4, ['h'] = op_get_1, ['j'] = op_get_4, ['s'] = op_set_item,
    ['u'] = op_set_items, ['a'] = op_append, ['e'] = op_appends, ['R'] = op_reduce, ['b'] = op_build,
};

static int run(pickle_machine *v)
{
    while (v->at < v->end) {
        const unsigned char code = *v->at++;
        if (code == '.')
            return v->at != v->end || v->n_stack != 1 || v->n_marks != 0 ? broken(v) : 0;
        if (!operations[code])
            return complain(v->m, "data.pkl: the opcode %02x at byte %zu is none that a state_dict needs; save "
                                  "model.state_dict() alone", (unsigned)code, (size_t)(v->at - v->begin) - 1);
        if (operations[code](v) != 0)
            return -1;
    }
    return broken(v);
}

int pickle_machine_run(pickle_machine *v, const unsigned char *bytes, size_t size, message *m)
{
    memset(v, 0, sizeof *v);
    v->begin = bytes;
    v->at = bytes;
    v->end = bytes + size;
    v->m = m;
    if (size < 2 || bytes[0] != 0x80 || bytes[1] != 2)
        return complain(m, "data.pkl is not a pickle of protocol 2, which PyTorch writes: save it again with torch.save as it is by "
                           "default");
    v->at += 2;
    return run(v);
}

void pickle_machine_free(pickle_machine *v)
{
    free(v->stack);
    free(v->items);
    free(v->pairs);
    free(v->memo);
    free(v->storages);
    free(v->tensors);
}
