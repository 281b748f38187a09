/* What an operator watches: do the host's books close, who was stopped for want of money, how well the cap holds. */
#include "api/relay.h"
#include "api/resources.h"

enum answer reconciliation_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "host_books", json_object(), "host_books", NULL);
}

enum answer suspensions_list(struct request *rq, struct reply *rp)
{
    return relay_list(rq, rp, "suspensions", json_object(), "suspensions", NULL);
}

enum answer cap_show(struct request *rq, struct reply *rp)
{
    return relay_show(rq, rp, "cap", json_object(), NULL, NULL);
}
