/* digits_demo.h - a handwritten seven, read row by row by a model in flash: the example of every package for boards */
#ifndef DIGITS_DEMO_H
#define DIGITS_DEMO_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads the image and tells after every row which digit the model believes in, one call of print a line (zero-terminated,
 * without a newline). Returns 0, or a b2s6_status. Not reentrant: handle and stream have their memory in it.
 */
int digits_demo(void (*print)(const char *line));

#ifdef __cplusplus
}
#endif
#endif
