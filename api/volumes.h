/* The customer's volumes. The provisioner keeps them and knows whose they are;
 * api.db has no rows of them. */
#ifndef API_VOLUMES_H
#define API_VOLUMES_H

#include "api/request.h"
#include "api/store.h"

#define VOLUME_MIB_MAX (INT64_C(1) << 24)       /* 16 TiB */
/* Making one from an image may copy it first. */
#define VOLUME_TIMEOUT_MS 30000

/* The provisioner's view of the volume, if it is the caller's: new reference in *volume, NULL with every other
 * answer. ANSWER_NOT_FOUND in the same words whether it is another's or nobody's. */
enum answer volume_own(struct request *rq, struct reply *rp, const char *volume_id, json_t **volume);

/* The same for a snapshot. */
enum answer snapshot_own(struct request *rq, struct reply *rp, const char *snapshot_id, json_t **snapshot);

/* Sets `project_id` in this view of a volume or a snapshot: the view, or NULL, and it is let go, if the caller does not
 * see that project. */
json_t *placed_view(const struct request *rq, json_t *view);

/* What is made under a claim is put into the project `arg`. */
store_effect placement_insert;

#endif
