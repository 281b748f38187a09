/* /etc/xs/witnesses.json: who may cosign our heads. No file: nobody.
 *     {"witnesses": [{"vkey": "NAME+HEX+BASE64", "url": "https://host/prefix"}]}
 * vkey is what xs-witness prints: an Ed25519 cosigner's (C2SP tlog-cosignature,
 * signature type 0x04). url is its submission prefix (C2SP tlog-witness). */
#ifndef ACCOUNTD_LOG_WITNESSES_H
#define ACCOUNTD_LOG_WITNESSES_H

#include "accountd/note.h"

#define WITNESSES_PATH "/etc/xs/witnesses.json"
#define WITNESSES_MAX  8

struct witness_known {
    char name[128];
    char url[256];
    struct note_key key;
};

struct witnesses {
    struct witness_known of[WITNESSES_MAX];
    unsigned count;
};

/* 0, or -1 and what is wrong with the file. */
int witnesses_read(const char *path, struct witnesses *witnesses, struct json_why *why);

#endif
