/*
 * Reads header and tables of a .b2s6 file: after these checks nothing that they name is outside the file, so whoever
 * comes later follows offsets without asking. What the numbers mean for a model is not looked at here.
 *
 * The order of the checks is that of what each relies on. First what makes it our file at all, then its size, so that the
 * whole header can be read; then the checksum of the header, since a damaged one would lead to any other message; then
 * the places of its sections; then each section on its own. The file need not be honest: the checksum proves no more
 * than that nobody damaged it by accident, and everything is checked as if it were chosen to do harm.
 *
 * A table names its data in the order in which they are in the file, each at the next free place. So one walk proves
 * that nothing overlaps, that no byte is without an owner, and that every model has exactly one form as a file: two
 * writers that agree on the contents write the same bytes.
 */
#include "format.h"

#include "crc32.h"
#include "status.h"

/*
 * Offsets and sizes are size_t: read_sizes sees to it that the file has the size that the caller gave. Rounding up wraps
 * only in a file that ends within the last 63 bytes of the address space: it comes out as 0 then, and the last check
 * refuses the file.
 */
static size_t round_up(size_t x)
{
    return (x + (FORMAT_DATA_ALIGNMENT - 1)) & ~(size_t)(FORMAT_DATA_ALIGNMENT - 1);
}

/*
 * Whose file it is, if it is one. Another version may have another header, so nothing after the version is read before
 * it is known; 0.1 is told apart, as its files exist. An empty file lacks the magic as well: it is no piece of a model
 * that could be completed, so it is "not a .b2s6 file" rather than a truncated one.
 */
static b2s6_status check_version(const unsigned char *file, size_t size, b2s6_error *error)
{
    if (size < FORMAT_MAGIC_BYTES || memcmp(file, FORMAT_MAGIC, FORMAT_MAGIC_BYTES) != 0)
        return b2s6_fail(error, B2S6_ERROR_MAGIC, 0, size ? "not a .b2s6 file" : "the file is empty");
    if (size < FORMAT_HEADER_BYTES)
        return b2s6_fail_at(error, B2S6_ERROR_TRUNCATED, 0, "the file ends within its header: %u bytes", NULL, size, 0, 0);
    if (b2s6_read32(file + FORMAT_AT_VERSION) == FORMAT_VERSION_0_1)
        return b2s6_fail(error, B2S6_ERROR_VERSION, FORMAT_AT_VERSION,
                         "format version 1, of libb2s6 0.1: convert the checkpoint again");
    if (b2s6_read32(file + FORMAT_AT_VERSION) != FORMAT_VERSION)
        return b2s6_fail_at(error, B2S6_ERROR_VERSION, FORMAT_AT_VERSION, "format version %u, this library reads version %u",
                            NULL, b2s6_read32(file + FORMAT_AT_VERSION), FORMAT_VERSION, 0);
    if (b2s6_read32(file + FORMAT_AT_ARITHMETIC) != FORMAT_ARITHMETIC)
        return b2s6_fail_at(error, B2S6_ERROR_VERSION, FORMAT_AT_ARITHMETIC, "arithmetic %u, this library computes by %u",
                            NULL, b2s6_read32(file + FORMAT_AT_ARITHMETIC), FORMAT_ARITHMETIC, 0);
    return B2S6_OK;
}

/*
 * The sizes and checksums; after this header_bytes bytes can be read. A file that is too short is a download that broke
 * off, and gets a status of its own; one that is too long was appended to, or the caller gave a wrong size. size_t holds
 * all sizes from here on, as the file is as long as the caller's memory.
 */
static b2s6_status read_sizes(struct format *f, const unsigned char *file, size_t size, b2s6_error *error)
{
    const uint64_t claimed = b2s6_read64(file + FORMAT_AT_FILE_BYTES);

    f->file = file;
    f->file_bytes = size;
    f->header_bytes = b2s6_read32(file + FORMAT_AT_HEADER_BYTES);
    f->header_crc = b2s6_read32(file + FORMAT_AT_HEADER_CRC);
    f->data_crc = b2s6_read32(file + FORMAT_AT_DATA_CRC);
    if (claimed > size)
        return b2s6_fail_at(error, B2S6_ERROR_TRUNCATED, FORMAT_AT_FILE_BYTES,
                            "the file has %u bytes of the %u it should have", NULL, size, claimed, 0);
    if (claimed < size)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, FORMAT_AT_FILE_BYTES, "the file has %u bytes, its header says %u", NULL,
                            size, claimed, 0);
    if (f->header_bytes > f->file_bytes || f->header_bytes < FORMAT_HEADER_BYTES)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_AT_HEADER_BYTES, "the size of the header does not fit the file");
    return B2S6_OK;
}

/* Taken with its own four bytes as zero, so that a writer can fill it in last. */
static b2s6_status check_header_crc(const struct format *f, b2s6_error *error)
{
    static const unsigned char zero[4] = { 0, 0, 0, 0 };
    uint32_t crc = b2s6_crc32(0, f->file, FORMAT_AT_HEADER_CRC);

    crc = b2s6_crc32(crc, zero, 4);
    crc = b2s6_crc32(crc, f->file + FORMAT_AT_HEADER_CRC + 4, f->header_bytes - (FORMAT_AT_HEADER_CRC + 4));
    if (crc != f->header_crc)
        return b2s6_fail(error, B2S6_ERROR_CHECKSUM, FORMAT_AT_HEADER_CRC,
                         "the header is damaged: its checksum does not match");
    return B2S6_OK;
}

/*
 * The sections of the header follow one another and fill header_bytes exactly:
 *
 *     64 bytes | configuration | metadata | tensor table | named entries | zeros up to a multiple of 64
 *
 * The counts are any 32-bit numbers, so their sum is taken in 64 bits; once it is header_bytes, every section is inside
 * the header and every pointer below fits. Metadata and named entries are bounded here, since what looks them up walks
 * all of them: no file can make one look-up take long. Tensors and configuration are bounded by what the model uses.
 * Reserved bytes must be zero, so that a later version can give them a meaning that today's files do not have.
 */
static b2s6_status place_sections(struct format *f, b2s6_error *error)
{
    const unsigned char *file = f->file;
    const uint32_t metadata_bytes = b2s6_read32(file + FORMAT_AT_METADATA_BYTES);
    uint64_t metadata_at, tensors_at, entries_at, end;
    size_t i;

    f->n_config = b2s6_read32(file + FORMAT_AT_N_CONFIG);
    f->n_metadata = b2s6_read32(file + FORMAT_AT_N_METADATA);
    f->n_tensors = b2s6_read32(file + FORMAT_AT_N_TENSORS);
    f->n_entries = b2s6_read32(file + FORMAT_AT_N_ENTRIES);
    metadata_at = FORMAT_HEADER_BYTES + (uint64_t)f->n_config * FORMAT_CONFIG_ENTRY_BYTES;
    tensors_at = metadata_at + metadata_bytes;
    entries_at = tensors_at + (uint64_t)f->n_tensors * FORMAT_TENSOR_ENTRY_BYTES;
    end = entries_at + (uint64_t)f->n_entries * FORMAT_NAMED_ENTRY_BYTES;
    if (end > f->header_bytes || round_up((size_t)end) != f->header_bytes || metadata_bytes % FORMAT_METADATA_ALIGNMENT != 0)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_AT_N_CONFIG, "the header's counts do not add up to its size");
    if (f->n_metadata > FORMAT_MAX_METADATA || metadata_bytes > FORMAT_MAX_METADATA_BYTES)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, FORMAT_AT_N_METADATA, "more metadata than %u pairs and %u bytes", NULL,
                            FORMAT_MAX_METADATA, FORMAT_MAX_METADATA_BYTES, 0);
    if (f->n_entries > FORMAT_MAX_ENTRIES)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, FORMAT_AT_N_ENTRIES, "more than %u named entries", NULL,
                            FORMAT_MAX_ENTRIES, 0, 0);
    for (i = FORMAT_AT_RESERVED; i < FORMAT_HEADER_BYTES; i++)
        if (file[i])
            return b2s6_fail(error, B2S6_ERROR_FORMAT, i, "a reserved byte is not zero");
    for (i = (size_t)end; i < f->header_bytes; i++)
        if (file[i])
            return b2s6_fail(error, B2S6_ERROR_FORMAT, i, "a byte between header and data is not zero");
    f->config = file + FORMAT_HEADER_BYTES;
    f->metadata = file + metadata_at;
    f->tensors = file + tensors_at;
    f->entries = file + entries_at;
    return B2S6_OK;
}

/*
 * Strictly ascending, the optional bit aside: no key twice, and a reader that walks once finds each one or knows that it
 * is not there (config.c). Numbers start at 1, so no key is 0.
 */
static b2s6_status check_config_order(const struct format *f, b2s6_error *error)
{
    uint32_t i, key, last = 0;

    for (i = 0; i < f->n_config; i++) {
        key = b2s6_read32(f->config + (size_t)i * FORMAT_CONFIG_ENTRY_BYTES) & ~FORMAT_KEY_OPTIONAL;
        if (key <= last)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_HEADER_BYTES + (size_t)i * FORMAT_CONFIG_ENTRY_BYTES,
                             "the configuration keys do not ascend");
        last = key;
    }
    return B2S6_OK;
}

/*
 * Counts 2 n_metadata terminated strings, keys ascending; nothing but zero bytes may follow them. After this a string
 * can be handed to a host as it is: its end is inside the header. That it is UTF-8 is the writer's word.
 */
static b2s6_status check_metadata(const struct format *f, b2s6_error *error)
{
    const unsigned char *p = f->metadata, *end = f->tensors, *last = NULL, *zero;
    uint32_t i;

    for (i = 0; i < 2 * f->n_metadata; i++) {
        for (zero = p; zero < end && *zero; zero++)
            continue;
        if (zero == end)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, (size_t)(p - f->file), "the metadata end within a string");
        if (zero == p && i % 2 == 0)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, (size_t)(p - f->file), "a metadata key is empty");
        if (i % 2 == 0 && last && b2s6_compare_text((const char *)last, (const char *)p) >= 0)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, (size_t)(p - f->file), "the metadata keys do not ascend");
        if (i % 2 == 0)
            last = p;
        p = zero + 1;
    }
    for (; p < end; p++)
        if (*p)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, (size_t)(p - f->file), "bytes follow the last metadata string");
    if (f->n_metadata == 0 && end - f->metadata > 0)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_AT_METADATA_BYTES, "there is room for metadata but none");
    return B2S6_OK;
}

/* The entry's numbers as they are: what they must be is the callers' business. */
void b2s6_format_tensor(struct tensor *t, const unsigned char *tensors, uint32_t i)
{
    const unsigned char *p = tensors + (size_t)i * FORMAT_TENSOR_ENTRY_BYTES;

    t->role = b2s6_read16(p + TENSOR_AT_ROLE);
    t->flags = b2s6_read16(p + TENSOR_AT_FLAGS);
    t->section = b2s6_read32(p + TENSOR_AT_SECTION);
    t->type = b2s6_read32(p + TENSOR_AT_TYPE);
    t->layout = b2s6_read32(p + TENSOR_AT_LAYOUT);
    t->count = b2s6_read32(p + TENSOR_AT_COUNT);
    t->rows = b2s6_read32(p + TENSOR_AT_ROWS);
    t->cols = b2s6_read32(p + TENSOR_AT_COLS);
    t->offset = b2s6_read_size(p + TENSOR_AT_OFFSET);
    t->bytes = b2s6_read_size(p + TENSOR_AT_BYTES);
}

/*
 * Panels take whole groups of 16 rows and have their scales with them; plain tensors are floats, row after row. The
 * product is formed in units of 32 (or 4) bytes, outer times inner: a result that does not fit 2^58 such units is 0,
 * which no tensor's size is. All comes from the file, so it may be anything.
 */
uint64_t b2s6_tensor_bytes(uint32_t type, uint32_t layout, uint32_t count, uint32_t rows, uint32_t cols)
{
    const uint32_t unit = layout == LAYOUT_PANELS ? 32 : sizeof(float); /* divides every piece */
    uint64_t outer, inner, high;

    /* each factor is checked, not the product: with all below 2^28 + 16 two of them fit 64 bits; the third goes in halves */
    if (count == 0 || rows == 0 || cols == 0 || count > FORMAT_MAX_DIMENSION || rows > FORMAT_MAX_DIMENSION ||
        cols > FORMAT_MAX_DIMENSION)
        return 0;
    outer = (uint64_t)count * (layout == LAYOUT_PANELS ? b2s6_pad16(rows) / B2S6_LANES : rows);
    inner = layout == LAYOUT_PANELS ? weights_panel_bytes(type, cols) / 32 : cols;
    /* high: the product's upper part, from bit 32 on; a carry from below is in it */
    high = (outer >> 32) * inner + ((outer & 0xffffffffu) * inner >> 32);
    return high >> 26 ? 0 : outer * inner * unit;
}

/* Types and layouts that this build reads: matrices may be of any type, plain tensors are floats. */
static int is_known(const struct tensor *t)
{
    if (t->layout == LAYOUT_PANELS)
        return t->type == TYPE_F32 || (B2S6_HAS_F16 && t->type == TYPE_F16) || weights_are_integers(t->type);
    return t->layout == LAYOUT_PLAIN && t->type == TYPE_F32;
}

/*
 * One entry on its own: values that exist, a shape that gives its bytes, a place inside the data. expected_offset is at
 * most the file's size, so the subtraction below cannot wrap. An optional tensor may be of any type, layout and shape:
 * only its place is checked, and nobody who does not know it reads it. An unknown type of another is "unsupported", as
 * a later library may read it; a size that contradicts the shape is a wrong tensor.
 */
static b2s6_status check_tensor(const struct format *f, const struct tensor *t, size_t at, size_t expected_offset,
                                b2s6_error *error)
{
    uint64_t bytes;

    if (t->flags & ~FORMAT_TENSOR_OPTIONAL || b2s6_read32(f->file + at + TENSOR_AT_RESERVED) != 0)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, at, "a reserved bit of a tensor entry is not zero");
    if (t->offset != expected_offset)
        return b2s6_fail_at(error, B2S6_ERROR_FORMAT, at + TENSOR_AT_OFFSET, "a tensor is at %u, the next free place is %u",
                            NULL, t->offset, expected_offset, 0);
    if (t->bytes > f->file_bytes - t->offset)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, at + TENSOR_AT_BYTES, "a tensor ends beyond the file");
    if (t->flags & FORMAT_TENSOR_OPTIONAL)
        return B2S6_OK; /* of a type or layout that only its reader knows */
    if (!is_known(t))
        return b2s6_fail_at(error, B2S6_ERROR_UNSUPPORTED, at + TENSOR_AT_TYPE,
                            "a tensor has type %u and layout %u, unknown here", NULL, t->type, t->layout, 0);
    bytes = b2s6_tensor_bytes(t->type, t->layout, t->count, t->rows, t->cols);
    if (bytes == 0 || t->bytes != bytes)
        return b2s6_fail_at(error, B2S6_ERROR_TENSOR, at + TENSOR_AT_BYTES,
                            "a tensor has %u bytes, its type and shape need %u", NULL, t->bytes, bytes, 0);
    return B2S6_OK;
}

/*
 * The tensor table, ascending by section and role. *end: where the data of the last tensor end, padding included, which
 * is where those of the first named entry begin. That the padding is zero is not checked: kernels read it and do not
 * use it (kernels.h), and the checksum covers it.
 */
static b2s6_status check_table(const struct format *f, size_t *end, b2s6_error *error)
{
    size_t at, offset = f->header_bytes;
    uint64_t order, last = 0;
    b2s6_status status;
    struct tensor t;
    uint32_t i;

    for (i = 0; i < f->n_tensors; i++) {
        at = (size_t)(f->tensors - f->file) + (size_t)i * FORMAT_TENSOR_ENTRY_BYTES;
        b2s6_format_tensor(&t, f->tensors, i);
        order = tensor_place(t.section, t.role);
        if (order <= last)
            return b2s6_fail(error, B2S6_ERROR_TENSOR, at, order == last ? "a tensor is twice in the table"
                                                                         : "the tensor table does not ascend");
        last = order;
        /* offset <= file_bytes holds before every entry, so the entry's own bytes are compared with what remains */
        status = check_tensor(f, &t, at, offset, error);
        if (status)
            return status;
        offset = round_up(t.offset + t.bytes);
        if (offset > f->file_bytes)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, at + TENSOR_AT_BYTES, "a tensor's padding ends beyond the file");
    }
    *end = offset;
    return B2S6_OK;
}

/*
 * A name fills its field with zeros after it; 1 if this one does, and is not empty. At least one zero is there, so a
 * name is a string as it is in the file.
 */
static int is_name(const unsigned char *name)
{
    uint32_t i, n = 0;

    while (n < FORMAT_ENTRY_NAME_BYTES && name[n])
        n++;
    for (i = n; i < FORMAT_ENTRY_NAME_BYTES; i++)
        if (name[i])
            return 0;
    return n > 0 && n < FORMAT_ENTRY_NAME_BYTES;
}

/*
 * The named entries: names ascend, their bytes follow the tensors' at offset, one after another, and end the file. What
 * the bytes are is between the file's writer and the host: the library only says where they are. Whole name fields are
 * compared, which orders them as strings, since only zeros follow a name.
 */
static b2s6_status check_entries(const struct format *f, size_t offset, b2s6_error *error)
{
    const unsigned char *entry = f->entries, *last = NULL;
    size_t at, bytes;
    uint32_t i;

    for (i = 0; i < f->n_entries; i++, last = entry, entry += FORMAT_NAMED_ENTRY_BYTES) {
        at = (size_t)(entry - f->file);
        bytes = b2s6_read_size(entry + ENTRY_AT_BYTES);
        if (!is_name(entry + ENTRY_AT_NAME) || b2s6_read64(entry + ENTRY_AT_RESERVED) != 0)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, at, "a named entry's name or reserved bytes are not allowed");
        if (last && memcmp(last, entry, FORMAT_ENTRY_NAME_BYTES) >= 0)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, at, "the names of the named entries do not ascend");
        if (b2s6_read_size(entry + ENTRY_AT_OFFSET) != offset)
            return b2s6_fail_at(error, B2S6_ERROR_FORMAT, at + ENTRY_AT_OFFSET,
                                "a named entry is not at %u, the next free place", NULL, offset, 0, 0);
        if (bytes == 0 || bytes > f->file_bytes - offset)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, at + ENTRY_AT_BYTES, "a named entry is empty or ends beyond the file");
        offset = round_up(offset + bytes);
        if (offset > f->file_bytes)
            return b2s6_fail(error, B2S6_ERROR_FORMAT, at + ENTRY_AT_BYTES, "a named entry's padding ends beyond the file");
    }
    if (offset != f->file_bytes)
        return b2s6_fail(error, B2S6_ERROR_FORMAT, FORMAT_AT_FILE_BYTES, "bytes follow the last tensor or named entry");
    return B2S6_OK;
}

/* Each check runs only if all before it have passed: it relies on them. */
b2s6_status b2s6_format_read(struct format *f, const void *data, size_t size, b2s6_error *error)
{
    b2s6_status status = check_version(data, size, error);
    size_t end = 0;

    if (!status)
        status = read_sizes(f, data, size, error);
    if (!status)
        status = check_header_crc(f, error);
    if (!status)
        status = place_sections(f, error);
    if (!status)
        status = check_config_order(f, error);
    if (!status)
        status = check_metadata(f, error);
    if (!status)
        status = check_table(f, &end, error);
    if (!status)
        status = check_entries(f, end, error);
    return status;
}

/* All that the header's checksum does not cover: tensors, named entries, padding. */
b2s6_status b2s6_format_verify(const struct format *f, b2s6_error *error)
{
    uint32_t crc = b2s6_crc32(0, f->file + f->header_bytes, f->file_bytes - f->header_bytes);

    if (crc != f->data_crc)
        return b2s6_fail(error, B2S6_ERROR_CHECKSUM, f->header_bytes, "the data are damaged: their checksum does not match");
    return B2S6_OK;
}
