/* main.c - a handwritten seven under Zephyr: west build -b mps2/an386 samples/digits -t run */
#include <zephyr/sys/printk.h>

#include "digits_demo.h"

static void print(const char *line)
{
    printk("%s\n", line);
}

int main(void)
{
    return digits_demo(print);
}
