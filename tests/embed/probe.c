/* probe.c - is an embedded model the file it came from, and do its macros say what the library says?
 *
 *     probe MODEL.b2s6
 */
#include <stdio.h>
#include <string.h>

#include "it.h"

static B2S6_ALIGNED unsigned char handle[IT_HANDLE_SIZE], memory[(IT_STATE_SIZE + 63) / 64 * 64];

static int wrong(const char *what)
{
    printf("%s\n", what);
    return 1;
}

static int same_as(const char *path)
{
    FILE *file = fopen(path, "rb");
    static unsigned char bytes[IT_SIZE + 1];
    size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;

    if (file)
        fclose(file);
    return n == IT_SIZE && memcmp(bytes, it_model, n) == 0;
}

int main(int argc, char **argv)
{
    b2s6_model_info info;
    b2s6_model *model;
    b2s6_state *state;
    size_t size;

    if (argc != 2 || !same_as(argv[1]))
        return wrong("the bytes");
    if ((uintptr_t)it_model % B2S6_ALIGNMENT || sizeof it_model != IT_SIZE)
        return wrong("alignment or size of the array");
    if (b2s6_model_size(&size, it_model, sizeof it_model, NULL) || size != IT_HANDLE_SIZE)
        return wrong("HANDLE_SIZE");
    if (b2s6_model_place(&model, handle, IT_HANDLE_SIZE - 1, it_model, IT_SIZE, NULL, NULL) != B2S6_ERROR_SIZE)
        return wrong("a handle one byte short is taken");
    if (b2s6_model_place(&model, handle, sizeof handle, it_model, IT_SIZE, NULL, NULL))
        return wrong("the model cannot be opened");
    if (b2s6_state_size(model) != IT_STATE_SIZE)
        return wrong("STATE_SIZE");
    if (b2s6_state_place(&state, model, memory, IT_STATE_SIZE - 1) != B2S6_ERROR_SIZE ||
        b2s6_state_place(&state, model, memory, IT_STATE_SIZE))
        return wrong("the state's memory");
#ifdef IT_WORKSPACE_SIZE
    if (b2s6_workspace_size(model, 100) != IT_WORKSPACE_SIZE)
        return wrong("WORKSPACE_SIZE");
#endif
    info.struct_size = sizeof info;
    if (b2s6_model_describe(model, &info) || info.fingerprint != IT_FINGERPRINT || info.input_size != IT_INPUT_SIZE ||
        info.output_size != IT_OUTPUT_SIZE)
        return wrong("FINGERPRINT, INPUT_SIZE or OUTPUT_SIZE");
    return 0;
}
