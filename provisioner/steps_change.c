/* The steps of resize and rebuild: what a stopped instance will be when it starts again. What was asked for stands in
 * the job's request; the catalogue, which may be another one by now, has the last word. */
#include "provisioner/job.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void limit_text(const struct io_limit *limit, char text[STORE_LIMIT_BYTES])
{
    *text = 0;
    if (limit->burst_ms)
        snprintf(text, STORE_LIMIT_BYTES, "%jd %jd %jd", (intmax_t)limit->ops_per_s, (intmax_t)limit->bytes_per_s,
                 (intmax_t)limit->burst_ms);
}

void instance_fit(struct instance *i, const struct flavor *flavor)
{
    snprintf(i->flavor, sizeof(i->flavor), "%s", flavor->id);
    i->vcpus = flavor->vcpus;
    i->memory_mib = flavor->memory_mib;
    i->weight = flavor->weight;
    i->cap_percent = flavor->cap_percent;
    limit_text(&flavor->disk_limit, i->disk_limit);
    limit_text(&flavor->net_limit, i->net_limit);
}

/* What the job's request says under this key; "" it does not. False after a failure of the store. */
static bool asked(struct run *run, const char *key, char *out, size_t size)
{
    json_t *request;
    int rc = store_job_request(run->tools->store, run->job.job_id, &request);

    snprintf(out, size, "%s", rc == 1 ? json_text(request, key) : "");
    json_decref(request);
    return rc >= 0;
}

static enum step_end fit(struct run *run)
{
    const struct flavor *flavor;
    char id[sizeof(run->instance.flavor)];

    if (!asked(run, "flavor", id, sizeof(id)))
        return STEP_RETRY;
    flavor = catalog_flavor(run->tools->catalog, id);
    if (!flavor)
        return run_fail(run, "not_found", "flavor %s is no longer in the catalogue", id);
    instance_fit(&run->instance, flavor);
    return store_instance_fit(run->tools->store, &run->instance) ? STEP_RETRY : STEP_DONE;
}

const struct step step_fit = { "fit", fit, NULL, NULL };

static const struct volume *root_of(const struct volume *v, int count)
{
    for (int n = 0; n < count; n++)
        if (v[n].root)
            return &v[n];
    return NULL;
}

/* The row first: a file that it wants made anew may be missing, never the other way round. */
static enum step_end renew(struct run *run)
{
    struct instance *i = &run->instance;
    struct volume v[STORE_DISKS_MAX];
    const struct volume *root;
    const struct image *image;
    char id[sizeof(i->image)];
    int count = store_volumes_of(run->tools->store, i->instance_id, v), rc;

    if (count < 0 || !asked(run, "image", id, sizeof(id)))
        return STEP_RETRY;
    image = catalog_image(run->tools->catalog, id);
    if (!image || !image->available)
        return run_fail(run, "not_found", "image %s is no longer on this host", id);
    snprintf(i->image, sizeof(i->image), "%s", id);
    root = root_of(v, count);
    if (store_instance_renew(run->tools->store, i, root ? root->volume_id : NULL))
        return STEP_RETRY;
    rc = root ? volumes_remove(run->tools->volumes, VOLUMES_VOLUME, root->volume_id) : 0;
    if (!rc)
        return STEP_DONE;
    log_warnx("instance %s: its old disk cannot be removed: %s; tried again", i->instance_id, strerror(-rc));
    return STEP_RETRY;
}

const struct step step_renew = { "renew", renew, NULL, NULL };
