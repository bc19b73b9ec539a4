/* scripts.h - the .lua files of this folder as texts; fleet.mk makes scripts.c from them */
#ifndef FLEET_SCRIPTS_H
#define FLEET_SCRIPTS_H

extern const char claim_lua[], commit_lua[], release_lua[], seen_lua[];

#endif
