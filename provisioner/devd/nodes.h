/* The nodes of devices in xenstored: what the provisioner writes for a device, and xs-devd
 * (xs-devd watches /local/domain/0/backend) serves.
 *
 * The provisioner writes, for device ID (a number) of domain N, in one transaction:
 *
 * frontend  /local/domain/N/device/{vbd,vif}/ID   (the guest's own directory; what it says there is a stranger's word)
 *     backend = /local/domain/0/backend/{vbd,vif}/N/ID   backend-id = 0   state = 1
 *     vbd: virtual-device = ID, device-type = disk      vif: handle = ID, mac
 * backend   /local/domain/0/backend/{vbd,vif}/N/ID   (dom0's; the guest may read)
 *     frontend, frontend-id, online = 1, state = 1
 *     vbd: params = absolute path of a raw file or block device, mode = r | w, discard = 0 | 1
 *     vif: mac, ip = IPv4 addresses the guest may use (blank-separated), bridge = name, tap = name
 *     limit = "OPS_PER_S BYTES_PER_S BURST_MS" of all vbd (vif) of N together, the same in each; left out: not limited.
 *
 * xs-devd adds to the backend directory: features, state (io/xenbus.h), sectors, sector-size, info; `error` when the
 * device has failed, in words for the operator.
 *
 * To detach, the provisioner writes online = 0 and state = 5 in the backend directory, waits for state 6 (a guest may
 * never answer: after its patience it goes on), and removes both directories; xs-devd ends the worker at once
 * when the backend directory is gone. A file is out of use when flock on it is free: the worker holds it (shared when
 * read-only). To resize, the file is grown first, then `params` is written again: xs-devd tells the worker, then
 * the frontend.
 */
#ifndef PROVISIONER_DEVD_NODES_H
#define PROVISIONER_DEVD_NODES_H

#define DEVICE_VBD_XVDA 51712u          /* xvda; each next disk + 16 */
#define DEVICE_STATE_DIR "/run/xs/dev"

#endif
