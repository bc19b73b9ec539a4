/* refusals.h - bad images, bad memory, bad calls: each must end in a status */
#ifndef REFUSALS_H
#define REFUSALS_H

/* handle and state: memory of the sizes that the digits model needs. Prints a line for each attempt; 0 if all were refused as
 * they should be. */
int refusals(unsigned char *handle, unsigned char *state);

#endif
