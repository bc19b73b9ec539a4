/* npy.c - reads and writes .npy files piece by piece */
#define _POSIX_C_SOURCE 200809L

#include "npy.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_MAX 65536  /* a header that anyone writes has about a hundred bytes */

static const unsigned char magic[6] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

static const struct { const char *name; size_t size, n_dims; } types[] = {  /* as npy_type counts */
    { "<i4", 4, 1 }, { "<i8", 8, 1 }, { "<f4", 4, 2 }, { "<f8", 8, 2 }
};

/* ---------------------------------------------------- the header, a Python dictionary: {'descr': '<i4', 'shape': (5,), ...} */

static void skip_space(const char **c)
{
    while (**c == ' ' || **c == '\t' || **c == '\n')
        ++*c;
}

/* Whether the next thing is this; then it is taken. */
static int accept(const char **c, const char *what)
{
    size_t length = strlen(what);
    skip_space(c);
    if (strncmp(*c, what, length) != 0)
        return 0;
    *c += length;
    return 1;
}

/* A string in either quotes, of letters without escapes. */
static int accept_string(const char **c, char *out, size_t size)
{
    size_t length;
    char quote;
    skip_space(c);
    quote = **c;
    if (quote != '\'' && quote != '"')
        return 0;
    for (length = 0; (*c)[1 + length] != quote; length++)
        if ((*c)[1 + length] == 0 || (*c)[1 + length] == '\\' || length + 1 == size)
            return 0;
    memcpy(out, *c + 1, length);
    out[length] = 0;
    *c += length + 2;
    return 1;
}

static int accept_integer(const char **c, uint64_t *out)
{
    skip_space(c);
    if (**c < '0' || **c > '9')
        return 0;
    for (*out = 0; **c >= '0' && **c <= '9'; ++*c) {
        unsigned digit = (unsigned)(**c - '0');
        if (*out > (UINT64_MAX - digit) / 10)
            return 0;
        *out = *out * 10 + digit;
    }
    return 1;
}

/* "(5,)" or "(5, 2)"; more dimensions are counted as one too many. */
static int accept_shape(const char **c, npy_reader *npy)
{
    uint64_t dims[3] = { 0, 1, 1 };
    if (!accept(c, "("))
        return 0;
    for (npy->n_dims = 0; !accept(c, ")"); npy->n_dims++) {
        if (npy->n_dims == 3 || !accept_integer(c, &dims[npy->n_dims]))
            return 0;
        if (!accept(c, ",")) {
            if (npy->n_dims == 0 || !accept(c, ")"))
                return 0;
            npy->n_dims++;
            break;
        }
    }
    npy->rows = dims[0];
    npy->width = dims[1];
    return 1;
}

/* The whole dictionary; *descr and *fortran are what it says of them. */
static int parse_header(const char *c, npy_reader *npy, char *descr, size_t descr_size, int *fortran)
{
    unsigned seen = 0, bit;
    char key[16];
    if (!accept(&c, "{"))
        return 0;
    while (!accept(&c, "}")) {
        if (!accept_string(&c, key, sizeof key) || !accept(&c, ":"))
            return 0;
        if (strcmp(key, "descr") == 0) {
            bit = 1;
            if (!accept_string(&c, descr, descr_size))
                return 0;
        } else if (strcmp(key, "fortran_order") == 0) {
            bit = 2;
            *fortran = accept(&c, "True");
            if (!*fortran && !accept(&c, "False"))
                return 0;
        } else if (strcmp(key, "shape") == 0) {
            bit = 4;
            if (!accept_shape(&c, npy))
                return 0;
        } else {
            return 0;
        }
        if (seen & bit)
            return 0;
        seen |= bit;
        if (!accept(&c, ",")) {
            if (!accept(&c, "}"))
                return 0;
            break;
        }
    }
    skip_space(&c);
    return *c == 0 && seen == 7;
}

static int check_header(npy_reader *npy, const char *text, message *m)
{
    char descr[24] = "";
    int fortran = 0;
    size_t type = 0;
    if (!parse_header(text, npy, descr, sizeof descr, &fortran))
        return complain(m, "the .npy header cannot be understood");
    while (type < 4 && strcmp(types[type].name, descr) != 0)
        type++;
    if (type == 4)
        return complain(m, "its values are %s; int32, int64, float32 and float64 (little-endian) can be read", descr);
    npy->type = (npy_type)type;
    if (npy->n_dims != types[type].n_dims)
        return complain(m, "%s with %zu dimensions; tokens have one, features two", descr, npy->n_dims);
    if (fortran && npy->n_dims > 1)
        return complain(m, "it is in Fortran order; C order is needed");
    if (npy->width != 0 && npy->rows > INT64_MAX / 8 / npy->width)
        return complain(m, "its shape is too large");
    return 0;
}

static int read_header(npy_reader *npy, message *m)
{
    unsigned char start[12];
    size_t prefix, length;
    char *text;
    int failed;
    if (fread(start, 1, 10, npy->stream) != 10 || memcmp(start, magic, sizeof magic) != 0)
        return complain(m, "%s", ferror(npy->stream) ? strerror(errno) : "not a .npy file");
    if ((start[6] != 1 && start[6] != 2) || start[7] != 0)
        return complain(m, "version %d.%d of .npy; 1.0 and 2.0 can be read", start[6], start[7]);
    prefix = start[6] == 1 ? 10 : 12;
    if (prefix == 12 && fread(start + 10, 1, 2, npy->stream) != 2)
        return complain(m, "cut short");
    length = start[8] | (size_t)start[9] << 8;
    if (prefix == 12)
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (length > HEADER_MAX)
        return complain(m, "a .npy header of %zu bytes", length);
    text = calloc(1, length + 1);
    if (!text)
        return complain(m, "out of memory");
    if (fread(text, 1, length, npy->stream) != length)
        failed = complain(m, "cut short");
    else if (strlen(text) != length)
        failed = complain(m, "the .npy header cannot be understood");
    else
        failed = check_header(npy, text, m);
    free(text);
    return failed;
}

/* Where the size is known, it must be right before anything is made of the content. */
static int check_size(npy_reader *npy, message *m)
{
    uint64_t bytes = npy->rows * npy->width * types[npy->type].size;
    struct stat status;
    off_t at = ftello(npy->stream);
    if (at < 0 || fstat(fileno(npy->stream), &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    if ((uint64_t)(status.st_size - at) != bytes)
        return complain(m, "%lld bytes of values, but its shape needs %llu", (long long)(status.st_size - at),
                        (unsigned long long)bytes);
    return 0;
}

int npy_open(npy_reader *npy, const char *path, message *m)
{
    memset(npy, 0, sizeof *npy);
    npy->stream = fopen(path, "rb");
    if (!npy->stream)
        return complain(m, "%s", strerror(errno));
    if (read_header(npy, m) == 0 && check_size(npy, m) == 0)
        return 0;
    npy_close(npy);
    return -1;
}

void npy_close(npy_reader *npy)
{
    if (npy->stream)
        fclose(npy->stream);
    npy->stream = NULL;
}

/* ----------------------------------------------------------------------------------------------------------- the values */

/* One value's bytes as an integer of up to 64 bits, through *bits. */
static int read_bits(npy_reader *npy, uint64_t *bits, message *m)
{
    unsigned char bytes[8];
    size_t size = types[npy->type].size;
    *bits = 0;
    if (fread(bytes, 1, size, npy->stream) != size)
        return complain(m, "%s", ferror(npy->stream) ? strerror(errno) : "cut short");
    while (size-- > 0)
        *bits = *bits << 8 | bytes[size];
    return 0;
}

int npy_read_integers(npy_reader *npy, int64_t *out, size_t n, message *m)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        if (read_bits(npy, &bits, m) != 0)
            return -1;
        if (npy->type == NPY_INT32) {
            uint32_t low = (uint32_t)bits;
            int32_t value;
            memcpy(&value, &low, sizeof value);
            out[i] = value;
        } else {
            memcpy(&out[i], &bits, sizeof out[i]);
        }
    }
    return 0;
}

int npy_read_floats(npy_reader *npy, float *out, size_t n, message *m)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        if (read_bits(npy, &bits, m) != 0)
            return -1;
        if (npy->type == NPY_FLOAT32) {
            uint32_t low = (uint32_t)bits;
            memcpy(&out[i], &low, sizeof out[i]);
        } else {
            double value;
            memcpy(&value, &bits, sizeof value);
            out[i] = fabs(value) > FLT_MAX ? copysignf(INFINITY, (float)(value > 0 ? 1 : -1)) : (float)value;
        }
    }
    return 0;
}

void npy_write_header(FILE *stream, uint64_t rows, uint64_t width)
{
    char text[192];
    unsigned char start[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 0, 0 };
    int n = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %llu), }",
                     (unsigned long long)rows, (unsigned long long)width);
    size_t length = ((size_t)n + 1 + sizeof start + 63) / 64 * 64 - sizeof start;  /* the values begin at a multiple of 64 */
    memset(text + n, ' ', length - (size_t)n);
    text[length - 1] = '\n';
    start[8] = (unsigned char)length;
    fwrite(start, 1, sizeof start, stream);
    fwrite(text, 1, length, stream);
}

void npy_write_floats(FILE *stream, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        unsigned char bytes[4];
        memcpy(&bits, &values[i], sizeof bits);
        for (int k = 0; k < 4; k++)
            bytes[k] = (unsigned char)(bits >> 8 * k & 0xff);
        fwrite(bytes, 1, sizeof bytes, stream);
    }
}
