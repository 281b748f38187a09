/* What ledger.c and papers.c share: the open database. */
#ifndef ACCOUNTD_LEDGER_DB_H
#define ACCOUNTD_LEDGER_DB_H

#include "common/db.h"

struct ledger {
    sqlite3 *db;
};

#endif
