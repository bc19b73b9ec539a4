/* file_kind.c - knows files of other programs by their first bytes */
#include "file_kind.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char unpickle[] = "load it in PyTorch and save it as safetensors (docs/checkpoint.md)";
static const char from_safetensors[] = "give b2s6 convert the safetensors checkpoint that it was made from";
static const char from_pytorch[] = "export the model from PyTorch as safetensors (docs/checkpoint.md)";
static const char load_and_save[] = "load it in PyTorch and save it again";
static const char unpack[] = "unpack it first";
static const char use_convert[] = "b2s6 convert makes a .b2s6 file of it";
static const char convert_its_folder[] = "give b2s6 convert the folder that it is in, with its config.json";
static const char use_folder[] = "give b2s6 convert the folder with config.json and the weights";
static const char fetch[] = "fetch the file itself: git lfs pull";
static const char fetch_again[] = "the download went wrong; fetch the file again";
static const char is_model[] = "it is what b2s6 convert makes";
static const char is_archive[] = "b2s6 decompress reads it";
static const char is_array[] = "b2s6 run reads it, with --in";

/* Kinds that begin with a few bytes of their own, or have them somewhere else. */
static const struct {
    size_t offset, n;
    const char *bytes;
    file_kind kind;
} marks[] = {
    { 0, 5, "\x89" "B2S6", { "a .b2s6 file", is_model, 0 } },
    { 0, 3, "\x89" "BZ", { "a file that b2s6 compressed", is_archive, 0 } },
    { 0, 4, "GGUF", { "a GGUF file (llama.cpp)", from_safetensors, 0 } },
    { 0, 4, "tjgg", { "a GGML file (llama.cpp)", from_safetensors, 0 } },
    { 0, 4, "lmgg", { "a GGML file", from_safetensors, 0 } },
    { 4, 4, "TFL3", { "a TensorFlow Lite file", from_pytorch, 0 } },
    { 0, 8, "\x89HDF\r\n\x1a\n", { "an HDF5 file (Keras)", from_pytorch, 0 } },
    { 0, 6, "\x93NUMPY", { "a .npy file", is_array, 0 } },
    { 0, 2, "\x1f\x8b", { "a gzip file", unpack, 0 } },
    { 0, 3, "BZh", { "a bzip2 file", unpack, 0 } },
    { 0, 6, "\xfd" "7zXZ\0", { "an xz file", unpack, 0 } },
    { 0, 4, "\x28\xb5\x2f\xfd", { "a Zstandard file", unpack, 0 } },
    { 0, 6, "7z\xbc\xaf\x27\x1c", { "a 7z file", unpack, 0 } },
    { 257, 5, "ustar", { "a tar file", unpack, 0 } },
    { 0, 42, "version https://git-lfs.github.com/spec/v1", { "a pointer of Git LFS, not the file", fetch, 0 } },
    { 0, 9, "<!DOCTYPE", { "a web page", fetch_again, 0 } },
    { 0, 9, "<!doctype", { "a web page", fetch_again, 0 } },
    { 0, 5, "<html", { "a web page", fetch_again, 0 } },
};

static int has(const unsigned char *bytes, size_t size, size_t offset, const char *text, size_t n)
{
    return size >= offset + n && memcmp(bytes + offset, text, n) == 0;
}

static int contains(const unsigned char *bytes, size_t size, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(bytes + i, text, n) == 0)
            return 1;
    return 0;
}

/* A zip file, by the name of the first file inside. */
static file_kind zip_kind(const unsigned char *bytes, size_t size)
{
    static const file_kind pickled = { "a PyTorch file, which is pickled", convert_its_folder, 1 };
    static const file_kind arrays = { "an .npz file", from_pytorch, 0 }, other = { "a zip file", unpack, 0 };
    size_t n = size > 30 ? bytes[26] | (size_t)bytes[27] << 8 : 0;
    n = n < size - 30 ? n : size - 30;
    if (size > 30 && (contains(bytes + 30, n, "data.pkl") || contains(bytes + 30, n, "/version") ||
                      contains(bytes + 30, n, "/byteorder")))
        return pickled;
    return size > 30 && n >= 4 && memcmp(bytes + 30 + n - 4, ".npy", 4) == 0 ? arrays : other;
}

/* ONNX, a message of protocol buffers: the version of the format, then the name of the program that wrote it. */
static int is_onnx(const unsigned char *bytes, size_t size)
{
    return size > 8 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] < 32 && bytes[2] == 0x12 && bytes[3] > 0 && bytes[3] < 64;
}

/* The size of a header, and the header: JSON. */
static int is_safetensors(const unsigned char *bytes, size_t size)
{
    uint_least64_t header = 0;
    for (int i = 7; i >= 0 && size >= 10; i--)
        header = header << 8 | bytes[i];
    return header > 1 && header < 100000000 && bytes[8] == '{';
}

static int is_json(const unsigned char *bytes, size_t size)
{
    size_t i = 0;
    while (i < size && (bytes[i] == ' ' || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t'))
        i++;
    return i < size && bytes[i] == '{';
}

file_kind file_kind_of(const unsigned char *bytes, size_t size)
{
    static const file_kind unknown = { NULL, NULL, 0 };
    static const file_kind onnx = { "an ONNX file", from_pytorch, 0 }, json = { "a JSON file", use_folder, 0 };
    static const file_kind pickle = { "a pickle", unpickle, 0 }, old = { "a PyTorch file from before 1.6", load_and_save, 1 };
    static const file_kind safetensors = { "a safetensors file", use_convert, 1 };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (has(bytes, size, marks[i].offset, marks[i].bytes, marks[i].n))
            return marks[i].kind;
    if (has(bytes, size, 0, "PK\3\4", 4))
        return zip_kind(bytes, size);
    if (is_safetensors(bytes, size))
        return safetensors;
    if (has(bytes, size, 0, "\x80\x02\x8a\x0a", 4))
        return old;
    if (size >= 3 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
        return pickle;
    if (is_onnx(bytes, size))
        return onnx;
    return is_json(bytes, size) ? json : unknown;
}

file_kind file_kind_of_path(const char *path)
{
    static const file_kind unknown = { NULL, NULL, 0 };
    unsigned char bytes[FILE_KIND_BYTES];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    return size ? file_kind_of(bytes, size) : unknown;
}
