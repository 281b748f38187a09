/* Opening the socket. */
#ifndef ACCOUNTD_CONTROL_LISTEN_H
#define ACCOUNTD_CONTROL_LISTEN_H

#include "accountd/accountd.h"
#include "common/rpc.h"

/* Anyone may connect; each verb looks at who calls. */
struct rpc_server *control_listen(struct accountd *a, const char *path);

/* Answers the callers of `news` for whom there are some or whose time is up; each turn of the loop, which turns once
 * a second at least. */
void control_news_run(void);

#endif
