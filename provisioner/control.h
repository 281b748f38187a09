/* provisioner's socket, /run/xs/provisioner.sock: verbs, arguments, results, who may call.
 * Protocol and common errors: common/rpc.h. Ids are made by the caller; a job
 * id seen before answers with that job.
 *
 * host           {}                                   api        -> {pages_total, pages_free, cpus, hv_version, domains, guests_max}
 * images         {}                                   api        -> {images:[{id, name, description, boot: kernel|disk, kernel, memory_mib_min, disk_mib_min, available}]}
 *                boot = disk: PVH GRUB boots what the instance's own first disk holds (kernel is "its own"). Not available: the
 *                image's disk is not on this host, what needs it is refused with capacity_unavailable
 * flavors        {}                                   api        -> {flavors:[{id, name, vcpus, memory_mib, weight, cap_percent, disk_limit, net_limit}]}
 *                disk_limit, net_limit: {ops_per_s, bytes_per_s, burst_ms}, absent when there is none; a rate of 0 is none, too.
 *                The catalogue is /etc/xs/catalog.json; a bad one stops the provisioner at start with the key's name.
 * instance_create {job_id, instance_id, account_id, name, image, flavor[, cmdline][, volume_id][, disk_mib][, volumes:[volume_id]]
 *                 [, network: bool][, ssh_keys:[line]][, user_data][, forwards:[{forward_id, guest_port}]][, purchase_order_id]}
 *                                                     api        -> {job}     capacity_unavailable when it cannot fit
 *                An image with boot = disk gets a root volume (volume_id names it; disk_mib, default the image's disk_mib_min), a copy of
 *                the image's, deleted with the instance; `volumes` are existing ones of the account, attached from the start.
 *                network (default true for boot = disk, else false): a NIC in the account's network with an address of its own.
 *                ssh_keys (openssh lines) and user_data (cloud-config, up to 16 KiB) reach the guest by a NoCloud seed disk; its
 *                hostname is the instance's name. Refused with quota_exceeded when the account has too much.
 *                forwards: as forward_create does, taken with the instance or refused with it, before anything is made.
 *                purchase_order_id: accountd's, which pays for it; without it the account's wallet does.
 * instance_action {job_id, instance_id, type}         api, accountd -> {job}
 *                type: start | shutdown | power_off | reboot | suspend | resume | delete | attach | detach (with volume_id;
 *                attach: read_only bool) | resize (with flavor) | rebuild (with image). The last two want a stopped instance: it starts
 *                with the other size; its root volume is made anew from that image, with the size it has, and everything on it is gone. Attach and detach work on a running and on a stopped instance; detach of a running one
 *                waits for the guest to let go, and fails with `conflict` when it does not. `conflict` when the state
 *                does not allow it; one job at a time for an instance, others queue.
 * job            {job_id[, wait_ms]}                  api        -> {job}     wait_ms up to 30000: answers when the job ends or the time is up
 * jobs           {instance_id[, before][, limit]}     api        -> {jobs:[job with its number]}   an instance's, the newest first, of those
 *                with a number less than `before`; 200 at most. Among them are those that nobody asked for by name (ended, crashed,
 *                unpaid_stop, ports ...)
 * instance       {instance_id}                        api        -> {instance}
 * instances      {[account_id]}                       api        -> {instances:[...]}
 * changes        {after[, limit][, wait_ms]}          api        -> {changes:[{number, at_ms, instance_id, account_id, name, state, code, detail[, job_id, type][, subject_id]}],
 *                                                                    newest}
 *                What became of instances, jobs, volumes, snapshots and forwards after this number, oldest first, at most 200. With job_id
 *                it is the job's status and its error; with subject_id what happened to that volume, snapshot or forward (created, ready,
 *                attached, detached, resized, deleted), whose name it has, and instance_id may be ""; else the instance's own state
 *                ("created" at first), or "firewall_changed". Numbers have no holes; the newest 100,000 are
 *                kept. newest: the last number there is; less than `after`: this host.db is an older one. wait_ms up to 30000:
 *                answers when there is something or the time is up
 * console_log    {instance_id[, offset][, limit]}     api        -> {text, offset, next, size}   last bytes by default; bytes that are not
 *                                                                   UTF-8 come as U+FFFD; text of all incarnations in order. Read
 *                                                                   on from `next`; `offset` may be later than asked: old text goes
 *                To follow it, and to type: the other socket, viewers.h
 * volume_create  {volume_id, account_id, name, size_mib[, snapshot_id | image]}
 *                                                     api        -> {volume}  the same id again answers with that volume; quota_exceeded;
 *                                                                   capacity_unavailable when the host's disk is too full to promise it
 * volume_resize  {volume_id, size_mib}                api        -> {volume}  grows only, also while attached
 * volume_delete  {volume_id}                          api        -> {}        conflict while attached
 * volume, volumes {volume_id} / {account_id}          api        -> {volume} / {volumes:[...]}
 * snapshot_create {snapshot_id, volume_id, name}      api        -> {snapshot}  of this instant, attached or not (then as after a power cut)
 * snapshot_delete {snapshot_id}                       api        -> {}
 * snapshots      {account_id}                         api        -> {snapshots:[...]}
 * network        {account_id}                         api        -> {network}   the account's own; made at first use
 * forward_create {forward_id, instance_id, guest_port} api       -> {forward}   a TCP port of the host that leads to the guest;
 *                                                                   capacity_unavailable when all are taken; quota_exceeded
 * forward_delete {forward_id}                         api        -> {}
 * firewall       {instance_id}                        api        -> {firewall}
 * firewall_set   {instance_id, firewall}              api        -> {firewall}   as firewall.h reads it; in place of the one there was, in
 *                                                                   force before the answer, for connections that exist, too. bad_request
 *                                                                   names the field, "inbound[3].ports: ..."; conflict: the instance has
 *                                                                   no network, or is deleted
 * tombstone_ack  {slot, incarnation}                  accountd   -> {}        the counters are durable; frees the slot in hv
 * billing_want   {want: run | suspend | stop | delete, instance_ids:[...][, by: money | operator]}
 *                                                     accountd   -> {instances:[{instance_id, done}]}   money's word on up to 512 instances.
 *                It holds until the next one. run: what money stopped may run again; nothing that is stopped starts.
 *                suspend: their guests are paused before the answer, whatever a job is doing; start and resume are refused with
 *                insufficient_funds. stop, delete: as suspend, and they are powered off, deleted. done: it is so now, or the
 *                instance is not known; else ask again in a moment. by operator: its owner is told so, and start and resume
 *                are refused with forbidden.
 *
 * job      {job_id, instance_id, type, status: queued|running|succeeded|failed, progress (0..100), steps:[{name, status}]
 *           (pending|running|succeeded|failed|undone|skipped),
 *           error:{code,detail}|absent, created_ms, started_ms, finished_ms, incarnation|absent}   incarnation: the one that it began
 * instance {instance_id, account_id, name, image, flavor, vcpus, memory_mib, state, desired_state, state_reason, ready,
 *           domid, domain_uuid, incarnation, created_ms, started_ms}
 *           plus volumes:[{volume_id, device: "xvda", read_only, root: bool}], addresses:[{mac, ipv4, network_id}],
 *           forwards:[forward]
 *           and purchase_order_id when it has one.
 *           state: pending building running stopping stopped suspending suspended failed deleted, and billing_suspended: paused
 *           because the money is gone or an operator wants it so (billing_want), it costs nothing and its memory is kept. `ready`: the guest itself has
 *           written to its console.
 * volume   {volume_id, account_id, name, size_mib, used_bytes, image, snapshot_id, instance_id, device, read_only, root,
 *           state: creating | available | attached, created_ms}     (image, snapshot_id, instance_id, device: absent when none)
 *           creating: its image is being copied onto the host's disk, the first time that it is used; it can be attached already.
 *           used_bytes: blocks that it alone would give back are not told apart from shared ones
 * snapshot {snapshot_id, account_id, name, volume_id, size_mib, created_ms}
 * network  {network_id, account_id, ipv4_subnet: "10.77.3.0/24", gateway, addresses_used}
 * forward  {forward_id, instance_id, protocol: "tcp", guest_port, host, port}   host as the catalogue's public_host
 *
 * firewall {enabled, inbound:[{protocol[, ports][, source][, note]}], outbound:[{protocol[, ports][, destination][, note]}]}
 *           not enabled, with no rules, until it is set
 *
 * Quotas (catalog.json, "quotas"): instances_max, volumes_max, volume_mib_max (sum), snapshots_max, forwards_max of one account.
 * quota_exceeded has the context {quota: one of these names, limit, used}, integers.
 */
#ifndef PROVISIONER_CONTROL_H
#define PROVISIONER_CONTROL_H

#define PROVISIONER_SOCKET "/run/xs/provisioner.sock"

#endif
