/* xs with disks, networks and SSH keys; and xs ssh, with a program in ssh's
 * place that tells what it was called with. */
#include "tests/api/tap.h"
#include "tests/api/xs_run.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSH_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS"

static struct rig rig;
static char key[64], account[40];

static void file_write(const char *name, const char *text, mode_t mode, char path[static 256])
{
    FILE *file;

    snprintf(path, 256, "%s/%s", rig.dir, name);
    file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) != 0)
        tap_bail("%s", path);
}

static void sizes(void)
{
    ok_int(xs("volume", "create", "v", "--size", "10", NULL), 2, "a size without a unit");
    ok_has(out, "--size 10: must be a number with K, M, G or T, such as 4G", "says what it may be");
    ok_int(xs("volume", "create", "v", "--size", "1025K", NULL), 2, "a size that is no whole MiB");
    ok_has(out, "whole number of MiB", "says so");
    ok_int(xs("volume", "create", "v", "--size", "1GB", NULL), 2, "a unit that is none");
    ok_int(xs("volume", "create", "v", NULL), 2, "no size");
    ok_has(out, "--size is needed", "says so");
    ok_int(xs("quote", "xs1", "--sent", "999999999T", NULL), 2, "more than can be counted");
    ok_has(out, "at most 4096T", "says how much can");
    ok_int(xs("volume", "create", "v", "--size", "99T", NULL), 1, "more than there can be");
    ok_has(out, "size_mib: must be from 1 to 16777216", "is refused by the host");
}

static void volumes(void)
{
    char id[40], web[40];

    ok_int(xs("volume", "list", NULL), 0, "no volumes");
    ok_has(out, "Make one: xs volume create", "says how to begin");
    ok_int(xs("volume", "create", "data", "--size", "2048K", NULL), 0, "volume create");
    ok_has(out, "size         2.0 MiB", "in K");
    id_seen("vol_", id);
    ok_int(xs("volume", "resize", "data", "1G", NULL), 0, "volume resize, by name");
    ok_has(out, "size         1.0 GiB", "in G");
    ok_int(xs("volume", "resize", "data", "1M", NULL), 1, "it does not shrink");
    ok_has(out, "only grows", "and says so");
    rig_instance(&rig, key, "web", web);
    ok_int(xs("volume", "detach", "data", NULL), 1, "detach of what is not attached");
    ok_has(out, "not attached", "says so");
    ok_int(xs("volume", "attach", "data", "web", "--read-only", "--wait", NULL), 0, "volume attach --wait");
    ok_has(out, "attach  succeeded", "succeeds");
    ok_int(xs("show", "web", NULL), 0, "show");
    ok_has(out, "disks       xvda vol_", "has the disk");
    ok_has(out, "(read-only)", "read-only");
    ok_int(xs("volume", "list", NULL), 0, "volume list");
    ok_has(out, "NAME     SIZE   ON DISK  STATE     INSTANCE", "is a table");
    ok_has(out, web, "that says where it is");
    ok_int(xs("volume", "delete", "data", NULL), 1, "delete of what is attached");
    ok_has(out, "detach it first", "says what to do");
    ok_int(xs("volume", "snapshot", "data", "before", NULL), 0, "volume snapshot");
    ok_has(out, "of volume  vol_", "names the volume");
    ok_int(xs("snapshot", "list", NULL), 0, "snapshot list");
    ok_has(out, "before", "has it");
    ok_int(xs("volume", "create", "copy", "--snapshot", "before", NULL), 0, "a volume from it, by name");
    ok_has(out, "snapshot     snap_", "says where it is from");
    ok_int(xs("snapshot", "delete", "before", NULL), 0, "snapshot delete");
    ok_int(xs("volume", "detach", "data", "--wait", NULL), 0, "volume detach --wait");
    ok_int(xs("volume", "delete", "data", NULL), 0, "volume delete, by name");
    ok_int(xs("volume", "delete", "copy", "--json", NULL), 0, "and with --json");
    ok_text(out, "", "which has nothing to say");
    ok_int(xs("volume", "show", id, NULL), 1, "what is gone");
    ok_has(out, "xs volume list", "points to the list");
}

static void quota(void)
{
    for (int i = 0; i < 6; i++)
        xs("volume", "create", "q", "--size", "1M", NULL);
    ok_int(xs("volume", "create", "q", "--size", "1M", NULL), 1, "a full quota");
    ok_has(out, "quota: volumes_max", "is named");
    ok_has(out, "limit: 6", "with its limit");
    ok_has(out, "delete what you no longer need", "and what to do");
    ok_int(xs("volume", "show", "q", NULL), 1, "a name that six have");
    ok_has(out, "more than one volume", "is refused");
}

static void keys(void)
{
    char path[256], id[40];

    file_write("id_ed25519.pub", SSH_KEY "\n", 0644, path);
    ok_int(xs("sshkey", "list", NULL), 0, "no SSH keys");
    ok_has(out, "Add one: xs sshkey add", "says how to begin");
    ok_int(xs("sshkey", "add", "laptop", path, NULL), 0, "sshkey add");
    ok_has(out, "SHA256:", "shows the fingerprint");
    id_seen("ssh_", id);
    ok_int(xs("sshkey", "list", NULL), 0, "sshkey list");
    ok_has(out, "laptop  ssh-ed25519   256  SHA256:", "is a table");
    file_write("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", 0600, path);
    ok_int(xs("sshkey", "add", "oops", path, NULL), 1, "the private key");
    ok_has(out, "send the file that ends in .pub", "is refused, and what to send is said");
    ok_int(xs("sshkey", "add", "x", "/nowhere.pub", NULL), 2, "a file that is not there");
    ok_has(out, "/nowhere.pub: No such file", "is named");
    ok_int(xs("sshkey", "rm", "laptop", NULL), 0, "sshkey rm");
    ok_int(xs("sshkey", "rm", "laptop", NULL), 1, "which is gone then");
}

static void instance(void)
{
    char path[256], user_data[256], forward[40];

    file_write("me.pub", SSH_KEY " me\n", 0644, path);
    file_write("user-data", "#cloud-config\nfqdn: x\n", 0644, user_data);
    ok_int(xs("create", "deb", "--image", "disk", "--flavor", "xs1", "--disk", "2G", "--ssh-key", path, "--forward", "22",
              "--forward", "80", "--user-data", user_data, "--wait", NULL),
           0, "create with a disk, a key, ports and user data");
    ok_has(out, "added the SSH key \"me\"", "a file's key is added to the account");
    ok_has(out, "(its own)", "its disk is shown");
    ok_has(out, "addresses   10.77.3.2 (02:", "its address");
    ok_has(out, "to 22, 127.0.0.1:", "its ports");
    ok_has(out, "1 keys, 22 bytes of user data", "key and user data arrived");
    ok_int(xs("create", "deb2", "--image", "disk", "--flavor", "xs1", "--ssh-key", path, NULL), 0, "the same file again");
    ok(!strstr(out, "added"), "is the same key");
    ok_int(xs("create", "deb3", "--image", "disk", "--flavor", "xs1", "--ssh-key", "nobody", NULL), 1, "a key that nobody has");
    ok_has(out, "no SSH key called \"nobody\"", "is named");
    ok_int(xs("create", "deb3", "--image", "disk", "--flavor", "xs1", "--ssh-key", "./none.pub", NULL), 2, "nor a file");
    ok_has(out, "--ssh-key ./none.pub: No such file", "is named");
    ok_int(xs("create", "deb3", "--image", "disk", "--flavor", "xs1", "--network", "--no-network", NULL), 2, "both");
    ok_int(xs("network", "show", NULL), 0, "network show");
    ok_has(out, "subnet          10.77.3.0/24", "has the subnet");
    ok_int(xs("ip", "list", NULL), 0, "ip list");
    ok_has(out, "10.77.3.2  ins_", "has the address");
    ok_int(xs("forward", "add", "deb2", "443", NULL), 0, "forward add");
    ok_has(out, "leads to port 443 of deb2", "says what leads where");
    id_seen("fwd_", forward);
    ok_int(xs("forward", "list", "deb2", NULL), 0, "forward list");
    ok_has(out, "443", "has it");
    ok_int(xs("forward", "rm", forward, NULL), 0, "forward rm");
    ok_int(xs("forward", "rm", "../x", NULL), 2, "what is no id");
    ok_int(xs("quote", "xs1", "--disk-ops", "1000", "--disk-bytes", "1536M", "--packets", "5", "--sent", "1G", "--received",
              "2G", NULL),
           0, "quote with what disk and network will do");
    ok_has(out, "disk_bytes     1.500000  GiB", "has their lines in units");
    ok_int(xs("usage", "deb", NULL), 0, "usage");
    ok_has(out, "PACKETS OUT", "has the packets");
    ok_has(out, "12.0 KiB", "bytes in units");
    ok_has(out, "100.0 GiB", "large ones too");
}

/* Greets like an SSH server at the second connection: at the first the guest is not up yet. */
static void *greet(void *arg)
{
    int listener = *(int *)arg;

    for (int i = 0; i < 2; i++) {
        int fd = accept(listener, NULL, NULL);

        if (i && write(fd, "SSH-2.0-test\r\n", 14) != 14)
            tap_bail("the greeting");
        close(fd);
    }
    return NULL;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 4) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        tap_bail("a listening socket");
    *port = ntohs(at.sin_port);
    return fd;
}

static void ssh(void)
{
    char path[256], dir[256], words[512], expected[300];
    const char *old = getenv("PATH");
    int port, listener = listen_somewhere(&port);
    pthread_t thread;

    snprintf(dir, sizeof(dir), "%s/bin", rig.dir);
    mkdir(dir, 0700);
    file_write("bin/ssh", "#!/bin/sh\nfor word; do printf '[%s] ' \"$word\"; done\nexit 7\n", 0755, path);
    snprintf(words, sizeof(words), "%s:%s", dir, old ? old : "");
    setenv("PATH", words, 1);
    ok_int(xs("create", "plain", "--image", "tiny", "--flavor", "xs1", NULL), 0, "an instance without a network");
    ok_int(xs("ssh", "plain", NULL), 1, "nothing leads to it");
    ok_has(out, "xs forward add plain 22", "says what to do");
    json_decref(rig_order(&rig, "provisioner", json_pack("{s:i}", "port", port)));
    ok_int(xs("create", "shell", "--image", "disk", "--flavor", "xs1", "--forward", "22", NULL), 0, "one with SSH");
    ok_int(xs("ssh", "shell", "--user", "root", "--identity", "/tmp/key", "--", "uname", "--json", "-a b", NULL), 7,
           "xs ssh ends as ssh does");
    snprintf(expected, sizeof(expected), "[-p] [%d] [-i] [/tmp/key] [--] [root@127.0.0.1] [uname] [--json] [-a b] ", port);
    ok_has(out, expected, "with port, user, identity, and the command untouched");
    ok_has(out, "[HostKeyAlias=ins_", "the host's key is kept under the instance's id");
    ok_has(out, "[StrictHostKeyChecking=accept-new]", "from the first connection on");
    ok_has(out, "/.config/xs/known_hosts\"]", "in a file of our own");
    ok_int(xs("ssh", "shell", "--user", "-oProxyCommand=x", NULL), 2, "a user that is an option");
    pthread_create(&thread, NULL, greet, &listener);
    ok_int(xs("ssh", "shell", "--wait", NULL), 7, "xs ssh --wait");
    ok_has(out, "waiting for SSH at 127.0.0.1:", "says that it waits");
    ok_has(out, "[debian@127.0.0.1]", "and logs in as debian");
    pthread_join(thread, NULL);
    close(listener);
    ok_int(xs("ssh", "shell", "--wait", "--timeout", "1", NULL), 4, "nobody greets");
    ok_has(out, "Look: xs log ins_", "says where to look");
    setenv("PATH", dir, 1);
    unlink(path);
    ok_int(xs("ssh", "shell", NULL), 2, "without an ssh");
    ok_has(out, "install an SSH client", "says what is missing");
    setenv("PATH", old ? old : "", 1);
}

int main(void)
{
    rig_start(&rig);
    xs_home(&rig);
    rig_customer(&rig, "main", key, account);
    setenv("XS_KEY", key, 1);
    sizes();
    volumes();
    keys();
    instance();
    ssh();
    quota();
    rig_end(&rig);
    return tap_end();
}
