/* /etc/xs/api.conf: one JSON object. Every key is checked at start; a key that
 * is missing, unknown or out of range stops the daemon with its name.
 *
 *   listen                  "0.0.0.0:8443" or "[::]:8443"
 *   certificate, private_key  PEM files; read before rights are dropped
 *   database                api.db; its directory belongs to `user`
 *   pid_file                the lock of the one running api
 *   user                    whom to become when started as root ("xs-api")
 *   accountd, provisioner   their sockets
 *   console                 the provisioner's other one, for the guests' consoles
 *   log_files               the folder in which accountd publishes its log: served below /log/
 *   web                     the folder of the portal and the console; may be left out: then there are none
 *   webhooks                the socket at which xs-webhookd asks what to send; left out, none are sent
 *   operator_key_hash_file  holds the SHA-256 of the first operator key, as xs-api --hash-key prints it
 *   signup                  "open" (also if left out) or "closed": whether strangers may become customers
 *   mail_folder             where mails are put, for a program that sends them: each as a file ID.eml, whole once its
 *                           mode lets it be read (0640, before that 0); left out, there are none
 *   public_url              "https://host.example": what mails link to; with mail_folder it must be there
 *   limits                  reads_per_s, writes_per_s, waits_per_s, anonymous_per_s (bursts are four
 *                           times as large), instances_per_account, connections_per_address;
 *                           logins_per_minute, of a name and of an address (5 if left out)
 */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include <jansson.h>
#include <stdint.h>

struct config {
    json_t *file;               /* owns the strings below */
    const char *certificate;
    const char *private_key;
    const char *database;
    const char *pid_file;
    const char *user;
    const char *accountd;
    const char *provisioner;
    const char *console;
    const char *operator_key_hash_file;
    const char *log_files;
    const char *webhooks;       /* NULL: none are sent */
    const char *web;            /* NULL: none */
    const char *signup;
    const char *mail_folder;    /* NULL: no mails */
    const char *public_url;     /* NULL: not known */
    char host[64];
    char port[8];
    int64_t reads_per_s;
    int64_t writes_per_s;
    int64_t waits_per_s;
    int64_t anonymous_per_s;
    int64_t instances_per_account;
    int64_t connections_per_address;
    int64_t logins_per_minute;
};

/* Exits 1 with one line naming the file and the key. */
void config_load(struct config *config, const char *path);
void config_free(struct config *config);

#endif
