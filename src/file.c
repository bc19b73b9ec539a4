/* The only file of the library that knows files and mappings; firmware leaves it out. */
#include "switches.h"

#if B2S6_HAS_FILES && (defined(__unix__) || defined(__APPLE__))
#  define B2S6_HAS_MMAP 1
#  define _POSIX_C_SOURCE 200809L
#else
#  define B2S6_HAS_MMAP 0
#endif

#include "model.h"

#include "status.h"

#if B2S6_HAS_FILES

#if B2S6_HAS_MMAP
#  include <fcntl.h>
#  include <sys/mman.h>
#  include <sys/stat.h>
#  include <unistd.h>
#else
#  include <stdio.h>
#endif

/* Takes the model out of planned bytes at data, which stay mapped or lie behind the handle. */
static b2s6_status open_planned(b2s6_model **model, const struct blueprint *plan, void *memory,
                                const struct open_settings *settings, b2s6_error *error)
{
    b2s6_status status = b2s6_is_aligned(memory, B2S6_ALIGNMENT)
                             ? b2s6_model_build(memory, plan, settings, error)
                             : b2s6_fail(error, B2S6_ERROR_ALIGNMENT, 0, "the allocator does not align as it was asked to");

    if (status)
        return status;
    *model = memory;
    (*model)->allocator = settings->allocator;
    return B2S6_OK;
}

#if B2S6_HAS_MMAP

/* Maps the whole file read-only. */
static b2s6_status map_file(const char *path, void **data, size_t *size, b2s6_error *error)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe that nobody writes to must not hold the caller */
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

static b2s6_status open_path(b2s6_model **model, const char *path, const struct open_settings *settings, b2s6_error *error)
{
    struct blueprint plan;
    b2s6_status status;
    void *data = NULL, *memory;
    size_t size = 0;

    status = map_file(path, &data, &size, error);
    if (status)
        return status;
    status = b2s6_model_plan(&plan, data, size, error);
    if (!status) {
        memory = settings->allocator.allocate(settings->allocator.user, plan.handle_size, B2S6_ALIGNMENT);
        if (!memory)
            status = b2s6_fail_at(error, B2S6_ERROR_MEMORY, 0, "no memory for a handle of %u bytes", NULL, plan.handle_size,
                                  0, 0);
        else if ((status = open_planned(model, &plan, memory, settings, error)) != B2S6_OK)
            settings->allocator.release(settings->allocator.user, memory);
    }
    if (status) {
        munmap(data, size);
        return status;
    }
    (*model)->mapping = data;
    (*model)->mapping_size = size;
    return B2S6_OK;
}

void b2s6_unmap(void *mapping, size_t size)
{
    if (mapping)
        munmap(mapping, size);
}

#else

/*
 * Without mmap the file is read behind its handle, in one allocation. The handle's size depends on the number of layers,
 * which every valid file has in its second configuration entry; whether the file is valid is found out afterwards.
 */
static b2s6_status read_behind(b2s6_model **model, FILE *file, size_t size, const struct open_settings *settings,
                               b2s6_error *error)
{
    unsigned char head[FORMAT_HEADER_BYTES + 2 * FORMAT_CONFIG_ENTRY_BYTES] = { 0 };
    uint32_t n_layers = (fread(head, 1, sizeof head, file), b2s6_read32(head + FORMAT_HEADER_BYTES + 12));
    size_t room = B2S6_MODEL_SIZE(n_layers > 4096 ? 0 : n_layers) + B2S6_ALIGNMENT;
    size_t data_at = (room + B2S6_ALIGNMENT - 1) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
    size_t copy = B2S6_BIG_ENDIAN ? size : 0;
    unsigned char *memory;
    struct blueprint plan;
    b2s6_status status;

    if (size > SIZE_MAX / 4)
        return b2s6_fail(error, B2S6_ERROR_UNSUPPORTED, 0, "the file is larger than this machine can address");
    memory = settings->allocator.allocate(settings->allocator.user, data_at + copy + size, B2S6_ALIGNMENT);
    if (!memory)
        return b2s6_fail_at(error, B2S6_ERROR_MEMORY, 0, "no memory for a model of %u bytes", NULL, size, 0, 0);
    if (fseek(file, 0, SEEK_SET) != 0 || fread(memory + data_at + copy, 1, size, file) != size)
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file cannot be read");
    else if ((status = b2s6_model_plan(&plan, memory + data_at + copy, size, error)) == B2S6_OK &&
             plan.handle_size > data_at + copy)
        status = b2s6_fail(error, B2S6_ERROR_FILE, 0, "the file changed while it was read");
    else if (!status)
        status = open_planned(model, &plan, memory, settings, error);
    if (status)
        settings->allocator.release(settings->allocator.user, memory);
    return status;
}

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
        status = read_behind(model, file, (size_t)size, settings, error);
    fclose(file);
    return status;
}

void b2s6_unmap(void *mapping, size_t size)
{
    (void)mapping;
    (void)size;
}

#endif

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
