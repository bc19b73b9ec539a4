/*
 * split.h - cuts text into the pieces that are merged each for itself, as the patterns of the tokenizers say
 *
 *     SPLIT_GPT2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *     SPLIT_LLAMA3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
 *                   \s*[\r\n]+|\s+(?!\S)|\s+
 *     SPLIT_QWEN2   the same with \p{N} alone
 *
 * Of each the first alternative that fits is taken, as far as it goes. All of a text fits one of them.
 */
#ifndef B2S6_CLI_TOKENIZER_SPLIT_H
#define B2S6_CLI_TOKENIZER_SPLIT_H

#include "table.h"

/* How many bytes the first piece of a text has; size > 0. */
size_t split_piece(const table *t, const unsigned char *text, size_t size);

/* A mark, U+2581, stands for a blank. */
#define MARK "\xe2\x96\x81"
enum { MARK_SIZE = 3 };

int is_mark(const unsigned char *text, size_t size);

#endif
