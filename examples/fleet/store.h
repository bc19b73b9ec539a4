/*
 * store.h - the connection to Redis: commands sent ahead of their replies, scripts, and what to make of an error
 *
 * What is appended is sent with store_send, and answered in the same order by store_reply. After an error of the connection,
 * or one that says that the server cannot be used now (loading, its disk or memory full), every call fails until
 * store_connect: the caller forgets what it knew and begins anew from what the store has.
 */
#ifndef FLEET_STORE_H
#define FLEET_STORE_H

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stddef.h>

enum store_script { SCRIPT_CLAIM, SCRIPT_COMMIT, SCRIPT_RELEASE, SCRIPT_SEEN, N_SCRIPTS };

struct store {
    redisContext *redis;     /* NULL: not connected */
    const char *address;     /* a port of 127.0.0.1, HOST:PORT, or the path of a socket */
    char sha[N_SCRIPTS][41];
    char problem[256];       /* why the last call failed */
    char told[256];          /* the last problem that stderr was told */
};

/* Set by a signal that asks the program to end. */
extern volatile sig_atomic_t store_stop;

/* Connects, and loads the scripts; once: 1, or 0 with problem. */
int store_connect(struct store *store);

/*
 * Tries until it works; 0 if store_stop came first. A problem, also the one that brought the caller here, is a line on stderr,
 * once until another comes.
 */
int store_connect_patiently(struct store *store, const char *who);

void store_close(struct store *store);

/* Appends a command of n parts; sizes (n). */
int store_append(struct store *store, size_t n, const char **parts, const size_t *sizes);
int store_send(struct store *store);

/*
 * The next reply, to be freed with freeReplyObject; NULL: the connection or the server is out of use. An error of a command
 * itself (a script's refusal) is a reply of type REDIS_REPLY_ERROR.
 */
redisReply *store_reply(struct store *store);

/* All three in one, the command as redisCommand takes it. Nothing else may be waited for. */
redisReply *store_call(struct store *store, const char *format, ...);

#endif
