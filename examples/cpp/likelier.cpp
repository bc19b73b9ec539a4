/*
 * likelier.cpp - which of several continuations a language model of bytes expects most
 *
 *     c++ -std=c++11 -O2 likelier.cpp $(pkg-config --cflags --libs b2s6) -o likelier
 *     ./likelier bytes.b2s6 "The function returns " "a pointer to" "to pointer a"
 *
 * The beginning is read once; each candidate goes on in a fork of that stream.
 */
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>

#include "b2s6.hpp"

static double bits_of(b2s6::state stream, const char *text) /* a copy: the caller's stream stays where it is */
{
    double bits = 0;
    for (; *text; text++) {
        bits += stream.bits(static_cast<unsigned char>(*text));
        stream.step(static_cast<unsigned char>(*text));
    }
    return bits;
}

int main(int argc, char **argv)
try {
    if (argc < 4) {
        std::fputs("usage: likelier MODEL.b2s6 BEGINNING CANDIDATE...\n", stderr);
        return 2;
    }
    const b2s6::model model(argv[1]);
    if (model.info().input_kind != B2S6_TOKENS || model.info().input_size != 256 || model.info().output_size != 256)
        throw b2s6::error(B2S6_ERROR_INPUT_KIND, std::string(argv[1]) + ": not a language model of bytes");
    b2s6::state stream(model);
    stream.step('\n'); /* what such a model reads before the first byte */
    for (const char *c = argv[2]; *c; c++)
        stream.step(static_cast<unsigned char>(*c));

    std::vector<std::pair<double, const char *>> ranked;
    for (int i = 3; i < argc; i++)
        ranked.push_back({ bits_of(stream, argv[i]), argv[i] });
    std::sort(ranked.begin(), ranked.end());
    for (const auto &r : ranked)
        std::printf("%7.2f bits  %s\n", r.first, r.second);
    return 0;
} catch (const std::exception &wrong) {
    std::fprintf(stderr, "likelier: %s\n", wrong.what());
    return 1;
}
