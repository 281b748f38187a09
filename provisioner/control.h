/* provisioner's socket, /run/xs/provisioner.sock: verbs, arguments, results, who may call.
 * Protocol and common errors: common/rpc.h. Ids are made by the caller; a job
 * id seen before answers with that job.
 *
 * host           {}                                   api        -> {pages_total, pages_free, cpus, hv_version, domains, guests_max}
 * images         {}                                   api        -> {images:[{id, name, description, kernel, memory_mib_min}]}
 * flavors        {}                                   api        -> {flavors:[{id, name, vcpus, memory_mib, weight, cap_percent}]}
 *                The catalogue is /etc/xs/catalog.json; a bad one stops the provisioner at start with the key's name.
 * instance_create {job_id, instance_id, account_id, name, image, flavor[, cmdline]}
 *                                                     api        -> {job}     capacity_unavailable when it cannot fit
 * instance_action {job_id, instance_id, type}         api, accountd -> {job}
 *                type: start | shutdown | power_off | reboot | suspend | resume | delete. `conflict` when the state
 *                does not allow it; one job at a time for an instance, others queue.
 * job            {job_id[, wait_ms]}                  api        -> {job}     wait_ms up to 30000: answers when the job ends or the time is up
 * instance       {instance_id}                        api        -> {instance}
 * instances      {[account_id]}                       api        -> {instances:[...]}
 * console_log    {instance_id[, offset][, limit]}     api        -> {text, offset, next, size}   last bytes by default; bytes that are not
 *                                                                   UTF-8 come as U+FFFD; text of all incarnations in order. Read
 *                                                                   on from `next`; `offset` may be later than asked: old text goes
 * tombstone_ack  {slot, incarnation}                  accountd   -> {}        the counters are durable; frees the slot in hv
 *
 * job      {job_id, instance_id, type, status: queued|running|succeeded|failed, progress (0..100), steps:[{name, status}]
 *           (pending|running|succeeded|failed|undone|skipped),
 *           error:{code,detail}|absent, created_ms, started_ms, finished_ms}
 * instance {instance_id, account_id, name, image, flavor, vcpus, memory_mib, state, desired_state, state_reason, ready,
 *           domid, domain_uuid, incarnation, created_ms, started_ms}
 *           state: pending building running stopping stopped suspending suspended failed deleted. `ready`: the guest itself has
 *           written to its console.
 */
#ifndef PROVISIONER_CONTROL_H
#define PROVISIONER_CONTROL_H

#define PROVISIONER_SOCKET "/run/xs/provisioner.sock"

#endif
