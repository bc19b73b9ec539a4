/* print.h - lines of text over the board's one way out */
#ifndef PRINT_H
#define PRINT_H

#include <stdint.h>

void print_text(const char *text);
void print_number(uint32_t x);
void print_hex(uint64_t x);

#endif
