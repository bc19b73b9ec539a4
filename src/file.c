/*
 * The only file of the library that knows files and mappings; firmware leaves it out.
 *
 * On systems with mmap a file is mapped and never copied: opening reads what it checks, the system brings the rest when
 * a step wants it, and processes that open the same file share its memory. Elsewhere it is read into the allocation of
 * its handle.
 */
#include "switches.h"

#if B2S6_HAS_FILES && (defined(__unix__) || defined(__APPLE__))
#  define B2S6_HAS_MMAP 1
#  define _POSIX_C_SOURCE 200809L
#else
#  define B2S6_HAS_MMAP 0
#endif

#include "open.h"

#include "status.h"
#include "verify.h"

#if B2S6_HAS_FILES

#if B2S6_HAS_MMAP
#  include <fcntl.h>
#  include <sys/mman.h>
#  include <sys/stat.h>
#  include <unistd.h>
#else
#  include <stdio.h>
#endif

#if B2S6_HAS_MMAP

/*
 * Maps the whole file read-only. The descriptor is closed at once: a mapping lives on without it. Only regular files: a
 * device or a pipe has no size, or blocks. mmap refuses a length of 0, so the empty file is told here, with the status
 * that an empty buffer gets (format.c).
 */
static b2s6_status map_file(const char *path, void **data, size_t *size, b2s6_error *error)
{
    struct stat info;
    /* a pipe that nobody writes to must not hold the caller; a child that the host starts must not get the descriptor */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    b2s6_status status = B2S6_OK;

    if (file < 0)
        return b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be opened");
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "not a regular file");
    } else if (info.st_size == 0) {
        status = b2s6_fail(error, B2S6_ERROR_MAGIC, 0, "the file is empty");
    } else if ((uintmax_t)info.st_size > SIZE_MAX) {
        status = b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the file is larger than this machine can address");
    } else {
        *size = (size_t)info.st_size;
        *data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
        if (*data == MAP_FAILED)
            status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be mapped");
    }
    close(file);
    return status;
}

/* What the handle is given to call, so that open.c, which closes it, needs to know no system. */
static void unmap(void *mapping, size_t mapping_size)
{
    munmap(mapping, mapping_size);
}

/*
 * The mapping is begun by the system at a page, so every tensor is at a multiple of 64 of the address space. It is given
 * back on every failure; after success it is the handle's.
 */
static b2s6_status open_path(b2s6_model **model, const char *path, const struct open_settings *settings, b2s6_error *error)
{
    struct blueprint plan;
    b2s6_status status;
    void *data = NULL;
    size_t size = 0;

    status = map_file(path, &data, &size, error);
    if (status)
        return status;
    status = b2s6_plan(&plan, data, size, error);
    if (!status)
        status = b2s6_build_allocated(model, &plan, settings, error);
    if (status) {
        munmap(data, size);
        return status;
    }
    (*model)->mapping = data;
    (*model)->mapping_size = size;
    (*model)->unmap = unmap;
    return B2S6_OK;
}

#else

/*
 * Without mmap the file is read into the same allocation as its handle, after it. The handle's size depends on the
 * number of layers, which every valid file has in its second configuration entry; whether the file is valid is found out
 * afterwards. head may be filled in part, from a file that is shorter: the rest is zeros, and the number of layers some
 * number, cut to what the format allows. It decides how much is allocated and nothing else; the plan, made of the bytes
 * as they were read, has the handle's true size, and a file that changed in between does not fit and is refused.
 */
static b2s6_status read_after_handle(b2s6_model **model, FILE *file, size_t size, const struct open_settings *settings,
                                     b2s6_error *error)
{
    unsigned char head[FORMAT_HEADER_BYTES + 2 * FORMAT_CONFIG_ENTRY_BYTES] = { 0 };
    uint32_t n_layers = (fread(head, 1, sizeof head, file), b2s6_read32(head + FORMAT_HEADER_BYTES + 12));
    size_t room = B2S6_MODEL_SIZE(n_layers > FORMAT_MAX_LAYERS ? 0 : n_layers) + B2S6_ALIGNMENT;
    size_t data_at = (room + B2S6_ALIGNMENT - 1) / B2S6_ALIGNMENT * B2S6_ALIGNMENT + (B2S6_BIG_ENDIAN ? size : 0);
    unsigned char *memory;
    struct blueprint plan;
    b2s6_status status;

    /* so that the sum of handle, copy and file does not wrap */
    if (size > SIZE_MAX / 4)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the file is larger than this machine can address");
    memory = settings->allocator.allocate(settings->allocator.user, data_at + size, B2S6_ALIGNMENT);
    if (!memory)
        return b2s6_fail_at(error, B2S6_ERROR_MEMORY, 0, "no memory for a model of %u bytes", NULL, size, 0, 0);
    if (!b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        status = b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the allocator does not align as it was asked to");
    else if (fseek(file, 0, SEEK_SET) != 0 || fread(memory + data_at, 1, size, file) != size)
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be read");
    else
        status = b2s6_plan(&plan, memory + data_at, size, error);
    if (!status && plan.handle_size > data_at)
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file changed while it was read");
    if (!status)
        status = b2s6_verify(&plan.format, settings->flags, error);
    if (status) {
        settings->allocator.release(settings->allocator.user, memory, data_at + size);
        return status;
    }
    *model = b2s6_build(memory, &plan, settings);
    (*model)->allocator = settings->allocator;
    (*model)->allocated = data_at + size;
    return B2S6_OK;
}

/*
 * Its size by seeking to its end, as C99 has no other way; ftell is a long, so larger files cannot be read here. The stream
 * is closed on every path: what the handle needs has been read.
 */
static b2s6_status open_path(b2s6_model **model, const char *path, const struct open_settings *settings, b2s6_error *error)
{
    FILE *file = fopen(path, "rb");
    b2s6_status status;
    long size;

    if (!file)
        return b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be opened");
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be read");
    else
        status = read_after_handle(model, file, (size_t)size, settings, error);
    fclose(file);
    return status;
}

#endif

/* Options before the file: a wrong option is told whatever the path is. */
b2s6_status b2s6_model_open_file(b2s6_model **model, const char *path, const b2s6_open_options *options, b2s6_error *error)
{
    struct open_settings settings;
    b2s6_status status;

    if (!model)
        return b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no place for the handle");
    *model = NULL;
    status = b2s6_open_settings(&settings, options, error);
    if (!status && !path)
        status = b2s6_fail(error, B2S6_ERROR_ARGUMENT, 0, "no path");
    if (!status)
        status = open_path(model, path, &settings, error);
    return status;
}

#endif
