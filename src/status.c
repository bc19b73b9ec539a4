/*
 * Words for statuses, and messages with their place. No printf: a freestanding build has none, its stack
 * is not known, and it follows the locale. What is here writes decimal numbers and strings into the
 * caller's b2s6_error, cuts what does not fit, and cannot fail.
 */
#include "status.h"

/*
 * With messages: the words themselves, and a formatter of a few lines. Without: the same interface, which keeps status and
 * offset and leaves the message empty.
 */
#if B2S6_HAS_MESSAGES

/*
 * For hosts that print a status without an error structure: of steps, runs, snapshots. No default: the compiler
 * then names a status of b2s6.h that has no words here. Values beyond the enumeration, from a newer library or a bug
 * of the host, fall out of the switch. The pin is no status, and has its case only for the compiler's sake.
 */
const char *b2s6_status_text(b2s6_status status)
{
    switch (status) {
    case B2S6_OK: return "success";
    case B2S6_ERROR_ARGUMENT: return "an argument is not allowed";
    case B2S6_ERROR_MEMORY: return "out of memory";
    case B2S6_ERROR_SIZE: return "the memory given, or the room for output, is too small";
    case B2S6_ERROR_ALIGNMENT: return "the memory given is not aligned as required";
    case B2S6_ERROR_INPUT_KIND: return "the model reads another kind or width of input";
    case B2S6_ERROR_TOKEN: return "a token is outside the vocabulary";
    case B2S6_ERROR_VALUE: return "a feature is infinite or not a number";
    case B2S6_ERROR_BIDIRECTIONAL: return "a bidirectional model needs the whole sequence";
    case B2S6_ERROR_MODEL: return "the states belong to different models";
    case B2S6_ERROR_ISA: return "the instruction set is unknown, or this machine cannot run it";
    case B2S6_ERROR_SNAPSHOT: return "not a snapshot, or a damaged one";
    case B2S6_ERROR_ARITHMETIC: return "the machine does not compute as the results are defined";
    case B2S6_ERROR_FILE: return "the file cannot be read";
    case B2S6_ERROR_MAGIC: return "not a .b2s6 file";
    case B2S6_ERROR_VERSION: return "this version of the format or of the arithmetic is not supported";
    case B2S6_ERROR_TRUNCATED: return "the file is truncated";
    case B2S6_ERROR_CHECKSUM: return "the file is damaged";
    case B2S6_ERROR_FORMAT: return "a field of the file is not allowed";
    case B2S6_ERROR_TENSOR: return "a tensor is missing, repeated or of the wrong shape";
    case B2S6_ERROR_WEIGHTS: return "a weight is infinite, not a number or not stable";
    case B2S6_ERROR_UNSUPPORTED: return "the file needs something that this library does not have";
    case B2S6_STATUS_PIN: break;
    }
    return "unknown status";
}

/*
 * The message under construction, from at to end; what does not fit is cut. end is one before the array's,
 * so that the terminating zero always fits.
 */
struct text {
    char *at, *end;
};

/* Every character passes here, so here alone is the bound kept. */
static void put_char(struct text *t, char c)
{
    if (t->at < t->end)
        *t->at++ = c;
}

/*
 * s is zero-terminated: a literal or a name of the library's tables. No part of a file is ever printed, so
 * a message is plain text whatever the file holds.
 */
static void put_string(struct text *t, const char *s)
{
    while (*s)
        put_char(t, *s++);
}

/*
 * Decimal, without leading zeros; 0 is "0". Digits come out from the last to the first, so they are kept
 * until all are there. The division of 64 bits is a function on small machines: messages can be left out
 * there (B2S6_NO_MESSAGES).
 */
static void put_number(struct text *t, uint64_t x)
{
    char digits[20]; /* 2^64 - 1 has 20 */
    int n = 0;

    do {
        digits[n++] = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    while (n)
        put_char(t, digits[--n]);
}

/*
 * The structure is filled in one place and whole: whatever was in it before, a caller finds nothing of an
 * earlier failure. A %u without a number or a %s without a name stays as it is, rather than read something
 * that is not there. Only these two directives exist, so a text cannot ask for more than was given;
 * without an error structure nothing is formed at all.
 */
b2s6_status b2s6_fail_at(b2s6_error *error, b2s6_status status, size_t offset, const char *text, const char *name,
                         uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t numbers[3];
    struct text t;
    /* how many of the three numbers the text has asked for */
    int used = 0;

    if (!error)
        return status;
    /* an array, so that the next %u is a matter of counting */
    numbers[0] = a;
    numbers[1] = b;
    numbers[2] = c;
    t.at = error->message;
    t.end = error->message + sizeof error->message - 1;
    /* the character before it has been dealt with; a directive takes two */
    for (; *text; text++) {
        if (text[0] == '%' && text[1] == 'u' && used < 3) {
            put_number(&t, numbers[used++]);
            text++;
        /* text[1] is there: a string that is not at its end has a next byte, the zero at the latest */
        } else if (text[0] == '%' && text[1] == 's' && name) {
            put_string(&t, name);
            text++;
        } else {
            put_char(&t, *text);
        }
    }
    /* at is at most end, which is inside the array */
    *t.at = '\0';
    error->status = status;
    error->reserved = 0;
    error->offset = offset;
    return status;
}

/* A message without numbers. It may hold no %u or %s that is meant as one. */
b2s6_status b2s6_fail(b2s6_error *error, b2s6_status status, size_t offset, const char *text)
{
    return b2s6_fail_at(error, status, offset, text, NULL, 0, 0, 0);
}

#else

const char *b2s6_status_text(b2s6_status status)
{
    (void)status;
    return "";
}

/*
 * Status and offset are kept in a build without words: they tell a host what to do, and where to look with
 * the full program.
 */
void b2s6_fail_silently(b2s6_error *error, b2s6_status status, size_t offset)
{
    if (error) {
        error->status = status;
        error->reserved = 0;
        error->offset = offset;
        error->message[0] = '\0';
    }
}

#endif

/*
 * Called before anything can fail, so that a host that looks at *error after a success finds no old
 * message.
 */
void b2s6_clear_error(b2s6_error *error)
{
    if (error) {
        error->status = B2S6_OK;
        error->reserved = 0;
        error->offset = 0;
        error->message[0] = '\0';
    }
}
