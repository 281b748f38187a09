/* accountd.conf and the command line. */
#ifndef ACCOUNTD_CONFIG_H
#define ACCOUNTD_CONFIG_H

#include "accountd/cap/cap.h"
#include "accountd/funding/webhook.h"
#include "accountd/log/witnesses.h"
#include "accountd/party.h"
#include "accountd/rate.h"
#include "accountd/record.h"

struct config {
    char host[RECORD_NAME_BYTES];       /* names the log */
    int64_t interval_s;
    struct cap_graces graces;
    int64_t hold_s;
    const char *price_book_path, *seller_path;
    struct webhook_secrets payments;
    const char *state_dir, *run_dir;
    const char *stats_file;             /* NULL: from hv */
    const char *provisioner_socket;
    const char *head_copy;              /* NULL: none */
    struct witnesses witnesses;
};

/* Exits 1 with file and key of what is wrong, or after --help. */
void config_read(struct config *config, int argc, char **argv);
/* The price book file, parsed and as canonical JSON (malloc'd). Exits 1 likewise. */
char *config_price_book(const struct config *config, struct rate_book *book);

/* Who sells, for invoices. Exits 1 likewise. */
void config_seller(const struct config *config, struct seller *seller);

#endif
