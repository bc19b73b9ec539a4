/* hosts.cpp - examples/cpp/b2s6.hpp: who owns what, what is thrown. Run by hosts.sh, under AddressSanitizer. */
#include "../examples/cpp/b2s6.hpp"

#include <cstdio>

static int failed;

static void expect(bool holds, const char *what)
{
    if (!holds)
        std::printf("not so: %s\n", what), failed++;
}

template <typename Call> static b2s6_status thrown(Call call)
{
    try {
        call();
    } catch (const b2s6::error &e) {
        expect(e.what()[0] != '\0', "an error has a text");
        return e.status();
    }
    return B2S6_OK;
}

/* A stream whose model nobody else holds. */
static b2s6::state begun(const char *path, int n)
{
    b2s6::state s{ b2s6::model(path) };
    for (int i = 0; i < n; i++)
        s.step('a' + i);
    return s;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *const bytes = argv[1], *const digits = argv[2];
    b2s6::state one = begun(bytes, 3);
    const std::vector<float> row = one.row();
    b2s6::state fork = one;
    expect(fork.steps() == 3 && fork.row() == row, "a copy is where the stream is");
    expect(fork.step('x') == one.step('x') && fork.row() != row, "and goes on alike");
    const std::vector<unsigned char> snapshot = one.save();
    const std::vector<float> after = one.step('y');
    one.restore(snapshot);
    expect(one.steps() == 4 && one.step('y') == after, "a restored stream goes on alike");
    one = begun(digits, 0); /* the model of the stream that was there is closed */
    const float pixel = 0.5f;
    expect(one.step(&pixel, 1).size() == 10 && one.steps() == 1, "a stream may be replaced by one of another model");
    b2s6::state moved = std::move(fork);
    fork = std::move(moved);
    expect(fork.steps() == 4, "moved there and back");
    fork.reset();
    expect(fork.steps() == 0, "reset");

    expect(thrown([&] { b2s6::model("no such file"); }) == B2S6_ERROR_FILE, "a file that is not there");
    expect(thrown([&] { b2s6::model(bytes, "quantum"); }) == B2S6_ERROR_ISA, "an unknown instruction set");
    expect(thrown([&] { fork.step(256); }) == B2S6_ERROR_TOKEN, "a token outside the vocabulary");
    expect(thrown([&] { fork.step(&pixel, 1); }) == B2S6_ERROR_INPUT_KIND, "features for a model of tokens");
    expect(thrown([&] { one = static_cast<const b2s6::state &>(fork); }) == B2S6_ERROR_MODEL, "a copy onto another model's");
    expect(thrown([&] { one.restore(snapshot); }) == B2S6_ERROR_SIZE || thrown([&] { one.restore(snapshot); }) == B2S6_ERROR_MODEL,
           "another model's snapshot");
    expect(thrown([&] { fork.restore(std::vector<unsigned char>(3)); }) != B2S6_OK, "three bytes for a snapshot");
    expect(b2s6::model(bytes).metadata("task") == "byte-level language model" && b2s6::model(bytes).metadata("?", "-") == "-",
           "metadata");
    return failed != 0;
}
