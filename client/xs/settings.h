/* Where the host is, who we are, and how we know the host: from the
 * environment (XS_URL, XS_KEY, XS_FINGERPRINT, XS_PROJECT), else from
 * ~/.config/xs/config, lines of `url = ...`, `key = ...`, `fingerprint = ...`, `project = ...`. */
#ifndef XS_SETTINGS_H
#define XS_SETTINGS_H

#include <stdbool.h>

struct settings {
    char *url;                          /* without a slash at the end */
    char *key;
    char fingerprint[65];               /* lower-case hex of SHA-256 of the DER certificate; "" none */
    char *project;                      /* the id of the one that is asked within; NULL none is named */
    const char *ca;                     /* a PEM file to trust instead */
    bool json;
};

/* Exits 2 saying what is missing and where to put it. `ca` and `json` are set before. */
void settings_load(struct settings *settings);

#endif
