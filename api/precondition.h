/* ETag and If-Match (RFC 9110 sections 8.8.3, 13.1.1), for all that can be changed by PATCH or PUT: what GET of the same path
 * answers has an ETag, and who sends it back as If-Match changes only what they have seen. A resource may set a tag of its
 * own; otherwise it is a hash of the answer. What no GET shows alone has none, and is changed as asked. */
#ifndef API_PRECONDITION_H
#define API_PRECONDITION_H

#include "api/request.h"

/* Runs the handler of the request's route, under the precondition that was sent: its answer, or ANSWER_PRECONDITION. */
enum answer precondition_handle(struct request *rq, struct reply *rp);

#endif
