/* store.c - the connection to Redis (store.h) */
#define _POSIX_C_SOURCE 200809L

#include "store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scripts.h"

volatile sig_atomic_t store_stop;

static int give_up(struct store *store, const char *problem)
{
    snprintf(store->problem, sizeof store->problem, "%s", problem);
    store_close(store);
    return 0;
}

void store_close(struct store *store)
{
    if (store->redis)
        redisFree(store->redis);
    store->redis = NULL;
}

static redisContext *reach(const char *address)
{
    const struct timeval timeout = { 5, 0 };
    const char *colon = strrchr(address, ':');
    char host[256] = "127.0.0.1";

    if (strchr(address, '/'))
        return redisConnectUnixWithTimeout(address, timeout);
    if (colon && (size_t)(colon - address) < sizeof host) {
        memcpy(host, address, (size_t)(colon - address));
        host[colon - address] = 0;
    }
    return redisConnectWithTimeout(host, atoi(colon ? colon + 1 : address), timeout);
}

int store_connect(struct store *store)
{
    const struct timeval patience = { 30, 0 };  /* a server that answers nothing for so long is out of use */
    static const char *const texts[N_SCRIPTS] = { claim_lua, commit_lua, release_lua, seen_lua };

    store_close(store);
    store->redis = reach(store->address);
    if (!store->redis)
        return give_up(store, "out of memory");
    if (store->redis->err || redisSetTimeout(store->redis, patience) != REDIS_OK)
        return give_up(store, store->redis->errstr);
    for (int i = 0; i < N_SCRIPTS; i++) {
        redisReply *reply = store_call(store, "SCRIPT LOAD %s", texts[i]);

        if (!reply)
            return 0;
        if (reply->type != REDIS_REPLY_STRING || reply->len != 40) {
            const int told = give_up(store, reply->type == REDIS_REPLY_ERROR ? reply->str : "not a Redis server");

            freeReplyObject(reply);
            return told;
        }
        memcpy(store->sha[i], reply->str, 41);
        freeReplyObject(reply);
    }
    return 1;
}

/* One line for one problem: a server that is out of use for an hour is not told of a thousand times. */
static void tell(struct store *store, const char *who)
{
    const size_t word = strcspn(store->problem, " ");

    if (strncmp(store->told, store->problem, word + 1) == 0)
        return;
    memcpy(store->told, store->problem, sizeof store->told);
    fprintf(stderr, "%s: %s: %s; trying again until it can be used\n", who, store->address, store->problem);
}

int store_connect_patiently(struct store *store, const char *who)
{
    const struct timespec pause = { 0, 50000000 };

    if (store->problem[0]) {
        tell(store, who);
        nanosleep(&pause, NULL);
    }
    while (!store_stop && !store_connect(store)) {
        tell(store, who);
        nanosleep(&pause, NULL);
    }
    return store->redis != NULL;
}

int store_append(struct store *store, size_t n, const char **parts, const size_t *sizes)
{
    if (!store->redis)
        return 0;
    if (redisAppendCommandArgv(store->redis, (int)n, parts, sizes) != REDIS_OK)
        return give_up(store, store->redis->errstr);
    return 1;
}

int store_send(struct store *store)
{
    int done = 0;

    while (store->redis && !done)
        if (redisBufferWrite(store->redis, &done) != REDIS_OK)
            return give_up(store, store->redis->errstr);
    return store->redis != NULL;
}

/* Errors that are not the command's: the server will not do for anybody now, or does not know us any more. */
static int out_of_use(const char *error)
{
    static const char *const kinds[] = { "LOADING", "MISCONF", "OOM", "READONLY", "MASTERDOWN", "BUSY ", "NOSCRIPT",
                                         "NOREPLICAS" };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(error, kinds[i], strlen(kinds[i])) == 0)
            return 1;
    return 0;
}

redisReply *store_reply(struct store *store)
{
    void *reply = NULL;
    redisReply *r;

    if (!store->redis)
        return NULL;
    if (redisGetReply(store->redis, &reply) != REDIS_OK) {
        give_up(store, store->redis->errstr[0] ? store->redis->errstr : "connection lost");
        return NULL;
    }
    r = reply;
    if (r->type == REDIS_REPLY_ERROR && out_of_use(r->str)) {
        give_up(store, r->str);
        freeReplyObject(r);
        return NULL;
    }
    return r;
}

redisReply *store_call(struct store *store, const char *format, ...)
{
    va_list arguments;
    int status;

    if (!store->redis)
        return NULL;
    va_start(arguments, format);
    status = redisvAppendCommand(store->redis, format, arguments);
    va_end(arguments);
    if (status != REDIS_OK) {
        give_up(store, "out of memory");
        return NULL;
    }
    return store_reply(store);
}
