/* test_pickle.c - the zip archives and pickles that PyTorch writes: what is read, and what of hostile ones is refused */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/pickle.h"
#include "../examples/cli/convert/pytorch.h"
#include "../examples/cli/convert/zip.h"
#include "suites.h"
#include "zip_file.h"

/* A program as text in C: PROGRAM("\x80\x02}.") has its zero bytes, but not the one at its end. */
typedef struct program {
    const char *bytes;
    size_t size;
    const char *error;  /* part of it; NULL: read */
} program;
#define PROGRAM(text, error) { text, sizeof(text) - 1, error }

/* Pieces of programs. A tensor of storage 0 with 6 values, (2, 3); what follows is its dict's. */
#define DICT "ccollections\nOrderedDict\n)R"
#define STORAGE "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0X\3\0\0\0cpuK\6tQ"
#define TENSOR "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0K\2K\3\x86K\3K\1\x86\x89" DICT "tR"
#define NAME "X\1\0\0\0w"

/* In memory of exactly its size, for the sanitizer. */
static void check_program(const program *p, size_t n_tensors)
{
    char text[300] = "";
    message m = { text, sizeof text };
    unsigned char *bytes = (unsigned char *)malloc(p->size + (p->size == 0));
    pickle result;
    int status;
    CHECK(bytes != NULL);
    memcpy(bytes, p->bytes, p->size);
    status = pickle_read(&result, bytes, p->size, &m);
    if (p->error) {
        CHECK_EQUAL_INT(-1, status);
        CHECK(result.tensors == NULL && strchr(text, '\n') == NULL);
        if (!strstr(text, p->error))
            CHECK_STRING(p->error, text);
    } else {
        if (status != 0)
            FAIL(text);
        CHECK_EQUAL_SIZE(n_tensors, result.n_tensors);
        pickle_close(&result);
    }
    free(bytes);
}

static void test_programs(void)
{
    static const struct { program p; size_t n_tensors; } good[] = {
        { PROGRAM("\x80\2}.", NULL), 0 },
        { PROGRAM("\x80\2" DICT ".", NULL), 0 },
        { PROGRAM("\x80\2" DICT "(" NAME TENSOR "u.", NULL), 1 },
        { PROGRAM("\x80\2" DICT NAME TENSOR "s.", NULL), 1 },
        { PROGRAM("\x80\2}(" NAME TENSOR "X\1\0\0\0v" TENSOR "u.", NULL), 2 },
        { PROGRAM("\x80\2}(" NAME "ctorch._utils\n_rebuild_parameter\n" TENSOR "\x88" DICT "\x87Ru.", NULL), 1 },
        /* the attributes, lists, numbers of every kind and the memo, all let pass */
        { PROGRAM("\x80\2" DICT "q\0(" NAME TENSOR "uh\0" "0.", "the opcode 30"), 0 },
        { PROGRAM("\x80\2" DICT "(" NAME TENSOR "u}X\1\0\0\0m](K\1M\1\1J\xff\xff\xff\xff\x8a\1\xff" "G\0\0\0\0\0\0\0\0N\x88)esb.", NULL), 1 },
        { PROGRAM("\x80\2" DICT "r\5\0\0\0}X\1\0\0\0m]K\1asb.", NULL), 0 },
        { PROGRAM("\x80\2}" NAME "q\1" TENSOR "r\2\0\0\0s.", NULL), 1 },
        { PROGRAM("\x80\2}(" NAME TENSOR "q\7X\1\0\0\0vh\7u.", NULL), 2 },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        test_context("program %d", (int)i);
        check_program(&good[i].p, good[i].n_tensors);
    }
}

static void test_refused(void)
{
    static const program bad[] = {
        PROGRAM("", "not a pickle of protocol 2"),
        PROGRAM("\x80\3}.", "not a pickle of protocol 2"),
        PROGRAM("\x80\4\x95", "not a pickle of protocol 2"),
        PROGRAM("\x80\2", "is damaged"),
        PROGRAM("\x80\2.", "is damaged"),
        PROGRAM("\x80\2}", "is damaged"),
        PROGRAM("\x80\2}}.", "is damaged"),
        PROGRAM("\x80\2}.}", "is damaged"),
        PROGRAM("\x80\2(}.", "is damaged"),
        PROGRAM("\x80\2}\x80\2.", "the opcode 80"),
        PROGRAM("\x80\2N.", "not a state_dict but another object"),
        PROGRAM("\x80\2K\1.", "not a state_dict but another object"),
        PROGRAM("\x80\2" TENSOR ".", "not a state_dict but another object"),
        PROGRAM("\x80\2}(" NAME "}u.", "its entry w is no tensor"),
        PROGRAM("\x80\2}(K\1" TENSOR "u.", "a key is no name"),
        PROGRAM("\x80\2}(X\0\0\0\0" TENSOR "u.", "a key is no name"),
        PROGRAM("\x80\2}(X\2\0\0\0w\0" TENSOR "u.", "holds a zero byte"),
        /* names and calls */
        PROGRAM("\x80\2cos\nsystem\nX\2\0\0\0id\x85R.", "asks for os.system, which no state_dict needs and which was not called"),
        PROGRAM("\x80\2cbuiltins\neval\n.", "asks for builtins.eval"),
        PROGRAM("\x80\2c__builtin__\ngetattr\n.", "asks for __builtin__.getattr"),
        PROGRAM("\x80\2ctorch\nload\n.", "asks for torch.load"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor\n.", "asks for torch._utils._rebuild_tensor,"),
        PROGRAM("\x80\2ctorch\nBoolStorage\n.", "asks for torch.BoolStorage"),
        PROGRAM("\x80\2ctorch\n", "is damaged"),
        PROGRAM("\x80\2ctorch", "is damaged"),
        PROGRAM("\x80\2ccollections\nOrderedDict\n](K\1eR.", "is damaged"),
        PROGRAM("\x80\2ccollections\nOrderedDict\nK\1\x85R.", "is damaged"),
        PROGRAM("\x80\2ctorch\nFloatStorage\n)R.", "is damaged"),
        PROGRAM("\x80\2K\1)R.", "is damaged"),
        PROGRAM("\x80\2)R.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_parameter\nK\1\x88" DICT "\x87R.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_parameter\n)R.", "is damaged"),
        PROGRAM("\x80\2" TENSOR "}b.", "is damaged"),
        PROGRAM("\x80\2K\1}b.", "is damaged"),
        /* opcodes of other pickles */
        PROGRAM("\x80\2cos\nsystem\n", "asks for os.system"),
        PROGRAM("\x80\2(X\2\0\0\0idios\nsystem\n.", "the opcode 69"),
        PROGRAM("\x80\2(X\2\0\0\0osX\6\0\0\0system\x93", "the opcode 93"),
        PROGRAM("\x80\2I1\n.", "the opcode 49"),
        PROGRAM("\x80\2P0\n.", "the opcode 50"),
        PROGRAM("\x80\2\x82\1.", "the opcode 82"),
        PROGRAM("\x80\2)\x81.", "the opcode 81"),
        PROGRAM("\x80\2\x8b\1\0\0\0\1.", "the opcode 8b"),
        PROGRAM("\x80\2}2.", "the opcode 32"),
        PROGRAM("\x80\2(1.", "the opcode 31"),
        PROGRAM("\x80\2U\1a.", "the opcode 55"),
        PROGRAM("\x80\2(o.", "the opcode 6f"),
        PROGRAM("\x80\2}d.", "the opcode 64"),
        /* the stack, marks and the memo */
        PROGRAM("\x80\2s.", "is damaged"),
        PROGRAM("\x80\2}K\1s.", "is damaged"),
        PROGRAM("\x80\2}(K\1s.", "is damaged"),
        PROGRAM("\x80\2K\1(K\1K\2u.", "is damaged"),
        PROGRAM("\x80\2}(K\1u.", "is damaged"),
        PROGRAM("\x80\2(K\1K\2u.", "is damaged"),
        PROGRAM("\x80\2u.", "is damaged"),
        PROGRAM("\x80\2t.", "is damaged"),
        PROGRAM("\x80\2K\1\x86.", "is damaged"),
        PROGRAM("\x80\2K\1(\x85.", "is damaged"),
        PROGRAM("\x80\2}K\1a.", "is damaged"),
        PROGRAM("\x80\2](K\1e", "is damaged"),
        PROGRAM("\x80\2(e.", "is damaged"),
        PROGRAM("\x80\2h\0.", "is damaged"),
        PROGRAM("\x80\2}q\1h\0.", "is damaged"),
        PROGRAM("\x80\2j\xff\xff\xff\xff.", "is damaged"),
        PROGRAM("\x80\2}r\xff\xff\xff\xff.", "is damaged"),
        PROGRAM("\x80\2}r\x9\0\0\0.", "is damaged"),
        PROGRAM("\x80\2q\0.", "is damaged"),
        PROGRAM("\x80\2K\1(q\0.", "is damaged"),
        PROGRAM("\x80\2((((((((((((((((((((((((((((((((((.", "nested more than 32 deep"),
        /* sizes that lie */
        PROGRAM("\x80\2X\xff\xff\xff\xff" "a", "is damaged"),
        PROGRAM("\x80\2X\3\0\0\0ab", "is damaged"),
        PROGRAM("\x80\2X\1\0", "is damaged"),
        PROGRAM("\x80\2K", "is damaged"),
        PROGRAM("\x80\2M\1", "is damaged"),
        PROGRAM("\x80\2J\1\1\1", "is damaged"),
        PROGRAM("\x80\2\x8a\2\1", "is damaged"),
        PROGRAM("\x80\2\x8a\x9\1\1\1\1\1\1\1\1\1.", "a number of 9 bytes"),
        PROGRAM("\x80\2G\0\0\0\0\0\0\0", "is damaged"),
        /* storages */
        PROGRAM("\x80\2Q.", "is damaged"),
        PROGRAM("\x80\2NQ.", "is damaged"),
        PROGRAM("\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0X\3\0\0\0cputQ.", "is damaged"),
        PROGRAM("\x80\2(X\7\0\0\0strangectorch\nFloatStorage\nX\1\0\0\0" "0X\3\0\0\0cpuK\1tQ.", "is damaged"),
        PROGRAM("\x80\2(X\7\0\0\0storageccollections\nOrderedDict\nX\1\0\0\0" "0X\3\0\0\0cpuK\1tQ.", "is damaged"),
        PROGRAM("\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0X\3\0\0\0cpuJ\xff\xff\xff\xfftQ.", "is damaged"),
        /* tensors */
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(NK\0K\2\x85K\1\x85\x89" DICT "tR.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0K\2\x85K\1\x85\x89NtR.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "J\xff\xff\xff\xffK\2\x85K\1\x85\x89" DICT "tR.", "is damaged"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0K\2\x85J\xff\xff\xff\xff\x85\x89" DICT "tR.", "a shape or strides"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0K\2\x85K\1K\1\x86\x89" DICT "tR.", "a shape or strides"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0N\x85K\1\x85\x89" DICT "tR.", "a shape or strides"),
        PROGRAM("\x80\2ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1tK\1\x85\x89" DICT "tR.", "a shape or strides"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_context("program %d", (int)i);
        check_program(&bad[i], 0);
    }
}

/* Every opcode that the list does not have, each alone. */
static void test_every_opcode(void)
{
    static const char known[] = "().}]N\x88\x89KMJ\x8aGXcQ\x85\x86\x87tqrhjsuaeRb";
    for (int code = 0; code < 256; code++) {
        unsigned char bytes[8] = { 0x80, 2, 0, 0, 0, 0, 0, 0 };
        char text[300] = "", wanted[40];
        message m = { text, sizeof text };
        pickle result;
        bytes[2] = (unsigned char)code;
        test_context("opcode %02x", (unsigned)code);
        CHECK_EQUAL_INT(-1, pickle_read(&result, bytes, sizeof bytes, &m));
        snprintf(wanted, sizeof wanted, "the opcode %02x at byte 2", (unsigned)code);
        CHECK((code != 0 && strchr(known, code) != NULL) == (strstr(text, wanted) == NULL));
    }
}

/* Long programs: too many values on the stack, too many bytes; many are read. */
static void test_long(void)
{
    const size_t size = (16u << 20) + 1;
    unsigned char *bytes = (unsigned char *)malloc(size);
    char text[300] = "";
    message m = { text, sizeof text };
    pickle result;
    CHECK(bytes != NULL);
    memset(bytes, 'N', size);
    bytes[0] = 0x80;
    bytes[1] = 2;
    CHECK_EQUAL_INT(-1, pickle_read(&result, bytes, size, &m));
    CHECK(strstr(text, "more than the 16777216 that any state_dict needs") != NULL);
    CHECK_EQUAL_INT(-1, pickle_read(&result, bytes, size - 1, &m));
    CHECK(strstr(text, "more than 65536 values on the stack") != NULL);
    for (size_t i = 2; i + 3 < size; i += 3)  /* empty tuples in tuples, as many as there is room for */
        memcpy(bytes + i, i == 2 ? "}))" : ")\x86)", 3);
    CHECK_EQUAL_INT(-1, pickle_read(&result, bytes, size - 1, &m));
    free(bytes);
}

/* ----------------------------------------------------------------------------------------------------------- archives */

static const zip_part three[] = { { "top/data.pkl", "\x80\2}.", 4 }, { "top/data/0", "12345678", 8 }, { "top/version", "3\n", 2 } };

/* Opens a copy of exactly this size. text: part of the error, NULL if there must be none. */
static void check_zip(const unsigned char *bytes, size_t size, const char *text)
{
    char error[300] = "";
    message m = { error, sizeof error };
    unsigned char *copy = (unsigned char *)malloc(size + (size == 0));
    zip z;
    int status;
    CHECK(copy != NULL);
    memcpy(copy, bytes, size);
    status = zip_open(&z, copy, size, &m);
    CHECK_EQUAL_INT(text ? -1 : 0, status);
    CHECK(strchr(error, '\n') == NULL);
    if (text && !strstr(error, text))
        CHECK_STRING(text, error);
    if (status == 0)
        zip_close(&z);
    free(copy);
}

static void test_zip(void)
{
    enum { LOCAL, ENTRY, LAST };  /* where an edit is: in an entry's own header, in the directory's, at the end */
    static const struct { int where, entry; size_t at, n; uint64_t value; const char *error; } edits[] = {
        { ENTRY, 1, 10, 2, 8, "entry top/data/0 of the zip archive is compressed" },
        { ENTRY, 1, 20, 4, 7, "is compressed" },
        { ENTRY, 1, 8, 2, 1, "entry top/data/0 of the zip archive is encrypted" },
        { ENTRY, 1, 8, 2, 0x2000, "is encrypted" },
        { LOCAL, 1, 8, 2, 8, "is another in its own header" },
        { LOCAL, 1, 6, 2, 1, "is another in its own header" },
        { LOCAL, 1, 26, 2, 9, "is another in its own header" },
        { LOCAL, 1, 30, 1, 'x', "is another in its own header" },
        { LOCAL, 1, 28, 2, 65535, "reaches outside it" },
        { LOCAL, 1, 0, 1, 'Q', "reaches outside it" },
        { ENTRY, 1, 42, 4, 0xfffffff0, "reaches outside it" },
        { ENTRY, 1, 42, 4, 0xffffffff, "a damaged extra field" },
        { ENTRY, 1, 42, 4, 0, "is another in its own header" },
        { ENTRY, 1, 0, 1, 'Q', "its end is missing or damaged" },
        { ENTRY, 1, 28, 2, 65535, "its end is missing or damaged" },
        { ENTRY, 2, 32, 2, 1, "its end is missing or damaged" },
        { LAST, 0, 8, 2, 4, "in several parts" },
        { LAST, 0, 4, 2, 1, "in several parts" },
        { LAST, 0, 16, 4, 0x7fffffff, "its end is missing or damaged" },
        { LAST, 0, 12, 4, 0xffffffff, "its end is missing or damaged" },
        { LAST, 0, 20, 2, 1, "its end is missing or damaged" },
    };
    size_t size, offsets[3];
    unsigned char *bytes = zip_make(three, 3, &size, offsets);
    check_zip(bytes, size, NULL);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        size_t base = edits[i].where == LOCAL ? offsets[edits[i].entry] : edits[i].where == ENTRY
                                              ? zip_directory_entry(bytes, size, (size_t)edits[i].entry) : size - 22;
        const uint64_t old = zip_get(bytes + base + edits[i].at, edits[i].n);
        test_context("edit %d", (int)i);
        zip_set(bytes + base + edits[i].at, edits[i].value, edits[i].n);
        check_zip(bytes, size, edits[i].error);
        zip_set(bytes + base + edits[i].at, old, edits[i].n);
    }
    test_context("sizes one more");
    zip_set(bytes + zip_directory_entry(bytes, size, 1) + 20, 9, 4);
    zip_set(bytes + zip_directory_entry(bytes, size, 1) + 24, 9, 4);
    check_zip(bytes, size, "overlaps another");
    free(bytes);
}

/* Fewer or more entries than the end says; names that come twice; nothing at all. */
static void test_zip_counts(void)
{
    static const zip_part twice[] = { { "a", "1", 1 }, { "a", "2", 1 } };
    size_t size;
    unsigned char *bytes = zip_make(twice, 2, &size, NULL);
    check_zip(bytes, size, "entry a is twice");
    free(bytes);
    bytes = zip_make(three, 3, &size, NULL);
    for (uint64_t n = 0; n < 6; n++) {
        zip_set(bytes + size - 14, n, 2);
        zip_set(bytes + size - 12, n, 2);
        test_context("%d entries", (int)n);
        check_zip(bytes, size, n == 3 ? NULL : "its end is missing or damaged");
    }
    free(bytes);
    bytes = zip_make(three, 0, &size, NULL);
    check_zip(bytes, size, NULL);
    check_zip(bytes, 0, "its end is missing or damaged");
    free(bytes);
}

/* The end record of large archives, with the locator before the common end. */
static void test_zip64(void)
{
    size_t size;
    unsigned char *bytes = zip_make(three, 3, &size, NULL), *long_end, *end;
    const size_t directory = (size_t)zip_get(bytes + size - 6, 4), directory_size = (size_t)zip_get(bytes + size - 10, 4);
    const size_t at = size - 22, all = size + 56 + 20;
    long_end = (unsigned char *)calloc(1, all);
    CHECK(long_end != NULL);
    memcpy(long_end, bytes, at);
    memcpy(long_end + at, "PK\6\6", 4);
    zip_set(long_end + at + 32, 3, 8);
    zip_set(long_end + at + 40, directory_size, 8);
    zip_set(long_end + at + 48, directory, 8);
    memcpy(long_end + at + 56, "PK\6\7", 4);
    zip_set(long_end + at + 56 + 8, at, 8);
    end = long_end + at + 76;
    memcpy(end, bytes + at, 22);
    check_zip(long_end, all, NULL);
    zip_set(end + 12, 0xffffffff, 4);
    zip_set(end + 16, 0xffffffff, 4);
    check_zip(long_end, all, NULL);
    zip_set(long_end + at + 48, UINT64_MAX - 3, 8);
    check_zip(long_end, all, "its end is missing or damaged");
    zip_set(long_end + at + 48, directory, 8);
    zip_set(end + 12, directory_size - 1, 4);
    check_zip(long_end, all, "whose two ends disagree");
    zip_set(end + 12, directory_size, 4);
    zip_set(long_end + at + 56 + 8, at + 1, 8);
    check_zip(long_end, all, "its end is missing or damaged");
    free(long_end);
    free(bytes);
}

/* ------------------------------------------------------------------------------------------------ storages and tensors */

/* A file of one tensor w by this pickle, and a storage 0 of so many bytes; refused with text, read if that is NULL. */
static void check_torch(const char *pickled, size_t pickle_size, size_t storage_size, const zip_part *more, const char *text)
{
    static const unsigned char zeros[4096];
    zip_part parts[3] = { { "x/data.pkl", NULL, 0 }, { "x/data/0", zeros, 0 }, { "", NULL, 0 } };
    char error[300] = "";
    message m = { error, sizeof error };
    tensor_source source;
    pytorch file;
    size_t size;
    unsigned char *bytes;
    int status;
    parts[0].bytes = pickled;
    parts[0].size = pickle_size;
    parts[1].size = storage_size;
    if (more)
        parts[2] = *more;
    bytes = zip_make(parts, more ? 3 : 2, &size, NULL);
    memset(&source, 0, sizeof source);
    status = pytorch_open(&file, bytes, size, &m);
    if (status == 0) {
        status = pytorch_add(&file, "", &source, &m);
        if (status == 0)
            CHECK(tensor_source_sort(&source, &m) == 0 && tensor_source_find(&source, "w") != NULL);
        pytorch_close(&file);
    }
    tensor_source_free(&source);
    CHECK_EQUAL_INT(text ? -1 : 0, status);
    if (text && !strstr(error, text))
        CHECK_STRING(text, error);
    free(bytes);
}

/* The values from the offset on, as the pickle says them: shape and strides. */
#define SHAPED(offset, shape, strides) "\x80\2}" NAME "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE offset shape strides "\x89" DICT "tRs."
#define HUGE_NUMBER "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f"

static void test_storages(void)
{
    static const struct { const char *bytes; size_t size; const char *error; } cases[] = {
#define CASE(offset, shape, strides, error) { SHAPED(offset, shape, strides), sizeof(SHAPED(offset, shape, strides)) - 1, error }
        CASE("K\0", "K\2K\3\x86", "K\3K\1\x86", NULL),
        CASE("K\0", "K\3K\2\x86", "K\1K\3\x86", NULL),         /* the other way round */
        CASE("K\5", "K\1\x85", "K\1\x85", NULL),
        CASE("K\5", ")", ")", NULL),
        CASE("K\6", "K\0\x85", "K\1\x85", NULL),
        CASE("K\0", "K\3\x85", "K\2\x85", NULL),
        CASE("K\1", "K\3\x85", "K\2\x85", NULL),
        CASE("K\2", "K\3\x85", "K\2\x85", "reach outside its storage, data/0"),
        CASE("K\6", ")", ")", "reach outside"),
        CASE("K\7", "K\0\x85", "K\1\x85", "reach outside"),
        CASE("K\1", "K\2K\3\x86", "K\3K\1\x86", "reach outside"),
        CASE("K\0", "K\7\x85", "K\0\x85", "reach outside"),     /* one value again and again: more than the storage has */
        CASE("K\0", HUGE_NUMBER "\x85", "K\0\x85", "reach outside"),
        CASE("K\0", HUGE_NUMBER HUGE_NUMBER "\x86", "K\0K\0\x86", "reach outside"),
        CASE("K\0", "K\2\x85", HUGE_NUMBER "\x85", "reach outside"),
        CASE(HUGE_NUMBER, "K\2\x85", "K\1\x85", "reach outside"),
        CASE("K\0", "K\2K\2\x86", HUGE_NUMBER HUGE_NUMBER "\x86", "reach outside"),
#undef CASE
    };
    static const zip_part constants = { "x/constants.pkl", "N.", 2 }, code = { "x/code/a.py", "", 0 };
    static const zip_part big = { "x/byteorder", "big", 3 }, little = { "x/byteorder", "little", 6 }, other = { "y/data.pkl", "\x80\2}.", 4 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_context("case %d", (int)i);
        check_torch(cases[i].bytes, cases[i].size, 24, NULL, cases[i].error);
    }
    test_context("other lengths, other entries");
    check_torch(cases[0].bytes, cases[0].size, 23, NULL, "its storage data/0 has 23 bytes, but the pickle says 6 values of F32");
    check_torch(cases[0].bytes, cases[0].size, 28, NULL, "its storage data/0 has 28 bytes");
    check_torch(cases[0].bytes, cases[0].size, 24, &constants, "a TorchScript program");
    check_torch(cases[0].bytes, cases[0].size, 24, &code, "a TorchScript program");
    check_torch(cases[0].bytes, cases[0].size, 24, &big, "entry byteorder is not \"little\"");
    check_torch(cases[0].bytes, cases[0].size, 24, &little, NULL);
    check_torch(cases[0].bytes, cases[0].size, 24, &other, "has two files data.pkl");
}

static void test_no_state_dict(void)
{
    static const zip_part no_pickle[] = { { "x/data/0", "", 0 } }, elsewhere[] = { { "x/y/data.pkl", "\x80\2}.", 4 } };
    static const zip_part no_storage[] = { { "x/data.pkl", "\x80\2}" NAME TENSOR "s.", sizeof("\x80\2}" NAME TENSOR "s.") - 1 } };
    static const struct { const zip_part *parts; const char *error; } cases[] = {
        { no_pickle, "the zip archive has no data.pkl" }, { elsewhere, "the zip archive has no data.pkl" },
        { no_storage, "tensor w: its storage data/0 is not in the archive" },
    };
    for (size_t i = 0; i < 3; i++) {
        char error[300] = "";
        message m = { error, sizeof error };
        tensor_source source;
        pytorch file;
        size_t size;
        unsigned char *bytes = zip_make(cases[i].parts, 1, &size, NULL);
        memset(&source, 0, sizeof source);
        if (pytorch_open(&file, bytes, size, &m) == 0) {
            CHECK_EQUAL_INT(-1, pytorch_add(&file, "", &source, &m));
            pytorch_close(&file);
        }
        tensor_source_free(&source);
        if (!strstr(error, cases[i].error))
            CHECK_STRING(cases[i].error, error);
        free(bytes);
    }
}

/* Two hundred tensors on one storage: a small file must not make a large model. */
static void test_shared_often(void)
{
    static const char first[] = "\x80\2}(";
    static const char one[] = "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
                                 "0X\3\0\0\0cpuM\xe8\3tQK\0M\xe8\3\x85K\1\x85\x89" DICT "tR";
    char *text = (char *)malloc(200 * (sizeof one + 12) + 16);
    size_t n = sizeof first - 1;
    CHECK(text != NULL);
    memcpy(text, first, n);
    for (int i = 0; i < 200; i++) {
        char name[10];
        int length = i == 0 ? snprintf(name, sizeof name, "w") : snprintf(name, sizeof name, "t%d", i);
        text[n++] = 'X';
        zip_set((unsigned char *)text + n, (uint64_t)length, 4);
        memcpy(text + n + 4, name, (size_t)length);
        n += 4 + (size_t)length;
        memcpy(text + n, one, sizeof one - 1);
        n += sizeof one - 1;
    }
    memcpy(text + n, "u.", 2);
    check_torch(text, n + 2, 4000, NULL, "share storages so often that they are more than twice the file");
    free(text);
}

static const test tests[] = {
    TEST(test_programs), TEST(test_refused), TEST(test_every_opcode), TEST(test_long), TEST(test_zip), TEST(test_zip_counts),
    TEST(test_zip64), TEST(test_storages), TEST(test_no_state_dict), TEST(test_shared_often),
};
const test_suite suite_pickle = TEST_SUITE("pickle", tests);
