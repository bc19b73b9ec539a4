/* main.c - a handwritten seven on an ESP32 of any kind: idf.py flash monitor */
#include <stdio.h>

#include "digits_demo.h"

static void print(const char *line)
{
    puts(line);
}

void app_main(void)
{
    digits_demo(print);
}
