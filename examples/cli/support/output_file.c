/* output_file.c - see output_file.h */
#define _XOPEN_SOURCE 700  /* realpath, and POSIX 2008 */

#include "output_file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a signal that ends the program has to remove. */
static const char *volatile unfinished;

static void remove_and_die(int signal_number)
{
    if (unfinished)
        unlink(unfinished);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    signal(SIGXFSZ, SIG_IGN);  /* a file that may not grow is an error of the write */
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action, old;
        memset(&action, 0, sizeof action);
        action.sa_handler = remove_and_die;
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}

static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* The temporary file: the final name with a suffix, in the same folder, so that the rename moves nothing. */
static int open_beside(output *o, mode_t mode)
{
    size_t length = strlen(o->path);
    int descriptor;
    o->temporary = malloc(length + sizeof ".XXXXXX");
    if (!o->temporary)
        return -1;
    memcpy(o->temporary, o->path, length);
    memcpy(o->temporary + length, ".XXXXXX", sizeof ".XXXXXX");
    descriptor = mkstemp(o->temporary);
    if (descriptor < 0) {
        free(o->temporary);
        o->temporary = NULL;
        return -1;
    }
    unfinished = o->temporary;
    watch_signals();
    o->stream = fchmod(descriptor, mode) == 0 ? fdopen(descriptor, "wb") : NULL;
    if (!o->stream)
        close(descriptor);
    return o->stream ? 0 : -1;
}

static int open_stream(output *o, const char *path)
{
    struct stat status;
    int there = stat(path, &status) == 0;
    o->path = there ? realpath(path, NULL) : strdup(path);
    if (!o->path)
        return -1;
    if (there && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (there && access(o->path, W_OK) != 0)
        return -1;
    if (there && !S_ISREG(status.st_mode)) {
        o->stream = fopen(o->path, "wb");
        return o->stream ? 0 : -1;
    }
    return open_beside(o, there ? status.st_mode & 0777 : new_file_mode());
}

int output_open(output *o, const char *path, message *m)
{
    memset(o, 0, sizeof *o);
    if (open_stream(o, path) == 0)
        return 0;
    complain(m, "cannot be written: %s", strerror(errno));
    output_abandon(o);
    return -1;
}

/* To the disk before the name changes, so that the name never stands for less than the file. */
static int flush_all(output *o)
{
    if (fflush(o->stream) != 0 || ferror(o->stream))
        return -1;
    return o->temporary && fsync(fileno(o->stream)) != 0 && errno != EINVAL ? -1 : 0;
}

int output_close(output *o, message *m)
{
    int failed = flush_all(o), error = errno;
    if (fclose(o->stream) != 0 && !failed) {
        failed = -1;
        error = errno;
    }
    o->stream = NULL;
    if (!failed && o->temporary) {
        failed = rename(o->temporary, o->path);
        error = errno;
        if (!failed) {
            unfinished = NULL;
            free(o->temporary);
            o->temporary = NULL;
        }
    }
    if (failed)
        complain(m, "cannot be written: %s", strerror(error));
    output_abandon(o);
    return failed;
}

void output_abandon(output *o)
{
    if (o->stream)
        fclose(o->stream);
    if (o->temporary) {
        unlink(o->temporary);
        unfinished = NULL;
    }
    free(o->temporary);
    free(o->path);
    memset(o, 0, sizeof *o);
}
