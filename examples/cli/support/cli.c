/* cli.c - sorts a verb's arguments, prints errors as one line, opens models for verbs */
#define _POSIX_C_SOURCE 200809L

#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nearest.h"
#include "open_model.h"

/* Whatever a name or a file holds, an error stays one line and leaves the terminal as it is. hint: where help is, or NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 0)))
#endif
static void print_error(const char *format, va_list arguments, const char *hint, const char *verb)
{
    char text[2000];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "b2s6: %s", text);
    if (hint)
        fprintf(stderr, "%s 'b2s6%s%s --help'", *text && text[strlen(text) - 1] == '?' ? " See" : "; see", hint, verb);
    fputc('\n', stderr);
}

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments, NULL, NULL);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_usage(const cli_verb *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments, verb ? " " : "", verb ? verb->name : "");
    va_end(arguments);
    return CLI_USAGE;
}

/* The option that an argument names, with *value what follows its "=", or NULL. */
static const cli_option *find_option(const char *argument, const cli_option *options, size_t n, const char **value)
{
    size_t length = strcspn(argument, "=");
    *value = argument[length] ? argument + length + 1 : NULL;
    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, argument, length) == 0)
            return &options[i];
    return NULL;
}

static void unknown_option(const cli_verb *verb, const char *argument, const cli_option *options, size_t n)
{
    const char *nearest = NULL;
    int distance = NEAREST_FAR;
    char name[100];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    for (size_t i = 0; i < n && name[1] == '-'; i++)
        if (nearest_distance(name + 2, options[i].name + 2) < distance) {
            nearest = options[i].name;
            distance = nearest_distance(name + 2, nearest + 2);
        }
    if (nearest)
        cli_usage(verb, "%s: there is no option %s; did you mean %s?", verb->name, name, nearest);
    else
        cli_usage(verb, "%s: there is no option %s", verb->name, name);
}

/* Takes the option at argv[i]; returns how many arguments that were, or 0 with the error printed. */
static int take_option(const cli_verb *verb, int left, char **argv, const cli_option *options, size_t n)
{
    const char *value;
    const cli_option *option = find_option(argv[0], options, n, &value);
    int taken = 1;
    if (!option) {
        unknown_option(verb, argv[0], options, n);
        return 0;
    }
    if (option->value && !value) {
        value = left > 1 ? argv[1] : NULL;
        taken = 2;
    }
    if (!option->value != !value) {
        cli_usage(verb, "%s: %s %s", verb->name, option->name, value ? "takes no value" : "needs a value");
        return 0;
    }
    if (option->value)
        *option->value = value;
    if (option->given)
        *option->given = 1;
    return taken;
}

int cli_parse(const cli_verb *verb, int argc, char **argv, const cli_option *options, size_t n_options,
              const char **operands, size_t n_operands)
{
    size_t n = 0;
    int only_operands = 0;
    for (int i = 0; i < argc; ) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = 1;
            i++;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != 0) {
            int taken = take_option(verb, argc - i, argv + i, options, n_options);
            if (taken == 0)
                return CLI_USAGE;
            i += taken;
        } else {
            if (n == n_operands)
                return cli_usage(verb, "%s: one argument too many: %.200s", verb->name, argv[i]);
            operands[n++] = argv[i++];
        }
    }
    if (n < n_operands)
        return cli_usage(verb, "%s: %s missing", verb->name, n_operands - n == 1 ? "an argument is" : "arguments are");
    return 0;
}

int cli_take_repeated(const cli_verb *verb, const char *name, int *argc, char **argv, const char **values, size_t *n)
{
    const size_t length = strlen(name);
    int left = 0, ended = 0;
    *n = 0;
    for (int i = 0; i < *argc; i++) {
        ended |= strcmp(argv[i], "--") == 0;
        if (ended || strncmp(argv[i], name, length) != 0 || (argv[i][length] != 0 && argv[i][length] != '='))
            argv[left++] = argv[i];
        else if (argv[i][length] == '=')
            values[(*n)++] = argv[i] + length + 1;
        else if (i + 1 < *argc)
            values[(*n)++] = argv[++i];
        else
            return cli_usage(verb, "%s: %s needs a value", verb->name, name);
    }
    *argc = left;
    return 0;
}

b2s6_model *cli_open_model(const char *path)
{
    return cli_open_model_for(path, NULL);
}

b2s6_model *cli_open_model_for(const char *path, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    char text[400];
    message m = { text, sizeof text };
    b2s6_model *model;
    options.isa = isa;
    model = open_model(path, &options, &m);
    if (!model)
        cli_fail("%s: %s", path, text);
    return model;
}

int cli_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const char *cli_type_name(b2s6_type type)
{
    static const char *const names[] = { "unknown", "f32", "f16", "q8", "q4" };
    return names[type < sizeof names / sizeof names[0] ? type : 0];
}
