/* output_file.c - writes a file so that it appears complete or not at all, whatever ends the program */
#define _XOPEN_SOURCE 700  /* realpath, and POSIX 2008 */

#include "output_file.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif
#ifdef SIGRTMAX
#define SIGNALS_END (SIGRTMAX + 1)
#else
#define SIGNALS_END 32
#endif

#define SUFFIX ".XXXXXX"  /* what mkstemp fills in */
enum { SUFFIX_SIZE = sizeof SUFFIX - 1, LINKS_MAX = 40 };

/* ------------------------------------------------------------------------------------------------------------- signals */

/* What a signal that ends the program has to remove. */
static const char *volatile unfinished;

/* Set while a temporary file may be there whose name `unfinished` does not have yet. */
static volatile sig_atomic_t naming;

/* Runs in any thread; the one that names the file has its signals blocked meanwhile, so it goes on and the wait ends. */
static void remove_and_die(int signal_number)
{
    while (naming)
        ;
    if (unfinished)
        unlink(unfinished);
    signal(signal_number, SIG_DFL);
    raise(signal_number);  /* takes effect when this function returns */
}

/* Those that end no program, and those that cannot be caught. A file that may not grow (XFSZ) is an error of the write. */
static int is_deadly(int signal_number)
{
    static const int others[] = { SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGCHLD, SIGURG, SIGXFSZ,
#ifdef SIGWINCH
                                  SIGWINCH,
#endif
#ifdef SIGINFO
                                  SIGINFO,
#endif
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] == signal_number)
            return 0;
    return 1;
}

/* What the caller of the program has set, to ignore hang-ups for example, stays. */
static void watch_signals(void)
{
    signal(SIGXFSZ, SIG_IGN);
    for (int number = 1; number < SIGNALS_END; number++) {
        struct sigaction action, old;
        memset(&action, 0, sizeof action);
        action.sa_handler = remove_and_die;
        sigfillset(&action.sa_mask);
        if (is_deadly(number) && sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(number, &action, NULL);
    }
}

/* --------------------------------------------------------------------------------------------------------------- names */

/* Where the last part of a path begins. */
static size_t name_begin(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A link's text as a path: seen from the folder of the link. From malloc; NULL on failure. */
static char *follow_link(const char *path)
{
    char text[PATH_MAX];
    const ssize_t length = readlink(path, text, sizeof text);
    const size_t folder = length > 0 && text[0] == '/' ? 0 : name_begin(path);
    char *target;
    if (length < 0 || (size_t)length == sizeof text)
        return NULL;
    target = malloc(folder + (size_t)length + 1);
    if (!target)
        return NULL;
    memcpy(target, path, folder);
    memcpy(target + folder, text, (size_t)length);
    target[folder + (size_t)length] = 0;
    return target;
}

/*
 * The path with symbolic links followed, from malloc: of a file that is there, and of one that is not, so that a link to
 * nothing gets what it leads to, as with a shell's `>`. NULL on failure.
 */
static char *resolve(const char *path)
{
    struct stat status;
    char *now = strdup(path);
    if (stat(path, &status) == 0) {
        free(now);
        return realpath(path, NULL);
    }
    for (int links = 0; now && lstat(now, &status) == 0 && S_ISLNK(status.st_mode); links++) {
        char *next = links < LINKS_MAX ? follow_link(now) : NULL;
        if (links == LINKS_MAX)
            errno = ELOOP;
        free(now);
        now = next;
    }
    return now;
}

/* The longest name that a file in the folder of this path can have. */
static size_t longest_name(const char *path)
{
    const size_t begin = name_begin(path);
    char *folder = begin ? strdup(path) : NULL;
    long longest;
    if (folder)
        folder[begin > 1 ? begin - 1 : 1] = 0;
    longest = pathconf(folder ? folder : ".", _PC_NAME_MAX);
    free(folder);
    return longest > 0 ? (size_t)longest : 255;
}

/*
 * A name for the temporary file: the final one with a suffix, in the same folder, so that the rename moves nothing. A name
 * that leaves no room for the suffix loses as much at its end, whole characters of UTF-8. From malloc, or NULL.
 */
static char *temporary_name(const char *path)
{
    const size_t begin = name_begin(path), longest = longest_name(path);
    size_t length = strlen(path);
    char *name = malloc(length + SUFFIX_SIZE + 1);
    if (!name)
        return NULL;
    memcpy(name, path, length);
    if (length - begin + SUFFIX_SIZE > longest && longest > SUFFIX_SIZE)
        length = begin + longest - SUFFIX_SIZE;
    if (length + SUFFIX_SIZE >= PATH_MAX && PATH_MAX - 1 - SUFFIX_SIZE > begin)
        length = PATH_MAX - 1 - SUFFIX_SIZE;
    while (length > begin + 1 && ((unsigned char)path[length] & 0xc0) == 0x80)
        length--;
    memcpy(name + length, SUFFIX, SUFFIX_SIZE + 1);
    return name;
}

/* ------------------------------------------------------------------------------------------------------------- opening */

static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* No signal may come between a file and its name in `unfinished`. */
static int make_temporary(char *name)
{
    sigset_t all, before;
    int descriptor, error;
    watch_signals();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    naming = 1;
    descriptor = mkstemp(name);
    error = errno;
    unfinished = descriptor < 0 ? NULL : name;
    naming = 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return descriptor;
}

static int open_beside(output *o, mode_t mode)
{
    char *name = temporary_name(o->path);
    const int descriptor = name ? make_temporary(name) : -1;
    if (descriptor < 0) {
        free(name);
        return -1;
    }
    o->temporary = name;
    o->stream = fchmod(descriptor, mode) == 0 ? fdopen(descriptor, "wb") : NULL;
    if (!o->stream)
        close(descriptor);
    return o->stream ? 0 : -1;
}

static int open_stream(output *o, const char *path)
{
    struct stat status;
    int there = stat(path, &status) == 0;
    o->path = there && !S_ISREG(status.st_mode) ? strdup(path) : resolve(path);  /* a pipe in /dev/stdout has no path */
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
    struct stat status;
    int error;
    memset(o, 0, sizeof *o);
    if (open_stream(o, path) == 0)
        return 0;
    error = errno;
    if (o->path && lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        complain(m, "cannot be written: a link to %.400s: %s", o->path, strerror(error));
    else
        complain(m, "cannot be written: %s", strerror(error));
    output_abandon(o);
    return -1;
}

/* ------------------------------------------------------------------------------------------------------------- closing */

/* To the disk before the name changes, so that the name never leads to less than the file. */
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
