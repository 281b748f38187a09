/* Public SSH keys: lines that ssh-keygen made are taken with ssh-keygen's own
 * fingerprint; whatever is lost or bent on the way is refused. */
#include "api/ssh_key.h"
#include "tests/api/tap.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *line;
    unsigned bits;
    const char *fingerprint;
} good[] = {
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS",
      256, "SHA256:RFkCq5/AGeu/ajf/Dm9cN925470uJPvzmqfV9ym3DOE" },
    { "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBD3n81enp3fEMcS+fvM4mpa29xSr"
      "+LY/8TQgaagAJaAoU6UmF2agu+mVFm7lozUl9GhofxpDYPDrhJNeX2lFzvQ= me@laptop",
      256, "SHA256:khqV3BZ2RFx92NwNnykQHx/Y8ieHS7bTBFetxN2cdb8" },
    { "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBCKcbotsqabNWVEpjWDRiAQYaAaM"
      "Hvilv3uIwk2GRqMP9dbdtfiIW7fMjwwOw58Pdg8P9JkoCXTL8SiCyD6IeYoO9STiL7WeKXifLsH0l11jRChWNSumn8L2eTl29xkF"
      "yQ== me@laptop",
      384, "SHA256:r8WIyP965WEUU4Ozyd1sI/+Oc1jTd3SCBY30WfmkvdQ" },
    { "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGRCkXnNj6TjMAEr6yPiYrpBdEG"
      "0EN5UbYIrJ4v0cBSGPBvofdIKdgvTot5zWw69ygxyo/tvwPY0JD/m2KpYZCrYQBD4sCOmrcJjia5zPd/leRLF5jBCicO9Db2i43R"
      "UgsDrfNVGZWZzISY23ZuOCFhkg0K0DpA/FmwCE2lAN6eR5ZPmw== me@laptop",
      521, "SHA256:VDPbDl8MrMFSBv/xJjatHGg9TYvQA20xXVmLXgH+EPI" },
    { "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC4sEiQVd+ijEZtLau0sjvlB/5qJ9VjIDoRkzSNSFSy9hB/PJwaxl968AncOXc5"
      "bg7/GVp6xfsc7ATNcQ0IVfl+ELDvPEG86Dopw+RDOapG2o20vnjMmljUsR+QhhdVCryqEj4GzWid5Yd+Xr0CLAHldSPT6FDm2R1n"
      "KQ1nGnRXs7dqmgriCE/i5qjcFY9FZjw4qrXMc95BfuCDqxTZRkrC+uDstmcZB25CvKd1hp7S2xOTKwSXtmjWg199P08Lk2RQsAqh"
      "QQf7L7LELIyaAG1fCMeGVLjmR34j2rETsQFq7DnMrEg2Eim6Y6du8PqZP9+I+z+zmA/Eyr4RpUb2e1Rv me@laptop",
      2048, "SHA256:C6bBaqJAEpn7+jsrdFxman4uWx3VW12w4Q2FxBS6x9U" },
};

#define RSA_1024 \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDLfJFSiWCEFp16okFFqyb7RZnBHMLV+unZl4Mpb9rW8whBxHeneAwg4LJoxKN2"\
    "yBuQoTzymxA4XOGK2/ud7mh3jrauTumTgiLIEd3xL0xKttByaDHb4PHJoLC2BlSbx1E6HU4vfFiYAkes4wfMy3osFkaDWx4fR3hz"\
    "PJaQhIqahw== me@laptop"

static void taken(void)
{
    struct ssh_key key;
    char why[256] = "", spaced[4096];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!ok(ssh_key_parse(good[i].line, &key, why, sizeof(why)), "%.30s... is taken (%s)", good[i].line, why))
            continue;
        ok_text(key.line, good[i].line, "%s: as it was", key.type);
        ok_text(key.fingerprint, good[i].fingerprint, "%s: the fingerprint is ssh-keygen's", key.type);
        ok_int(key.bits, good[i].bits, "%s: %u bits", key.type, good[i].bits);
    }
    snprintf(spaced, sizeof(spaced), "\n  %.12s  %s \r\n", good[0].line, good[0].line + 12);
    ok(ssh_key_parse(spaced, &key, why, sizeof(why)), "spaces and line ends around it do not matter");
    ok_text(key.line, good[0].line, "and are left out");
}

static void refused(const char *text, const char *part, const char *what)
{
    struct ssh_key key;
    char why[256] = "";

    ok(!ssh_key_parse(text, &key, why, sizeof(why)), "%s is refused", what);
    ok_has(why, part, "%s: says \"%s\"", what, part);
}

static void refusals(void)
{
    char line[4096];

    refused("", "must begin with", "nothing");
    refused("ssh-ed25519", "nothing follows", "a type alone");
    refused("ssh-dss AAAAB3NzaC1kc3M=", "must begin with", "DSA");
    refused("command=\"/bin/sh\" ssh-ed25519 AAAA", "must begin with", "options");
    refused("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA", "private key", "a private key");
    refused(RSA_1024, "2048", "RSA of 1024 bits");
    refused("ssh-ed25519 !!!!", "not base64", "what is no base64");
    refused("ssh-ed25519 AAAA", "not of the type", "a blob without a type");
    snprintf(line, sizeof(line), "ssh-rsa %s", good[0].line + 12);
    refused(line, "not of the type", "another type than the blob's");
    snprintf(line, sizeof(line), "%s\nssh-ed25519 AAAA", good[0].line);
    refused(line, "one line", "two lines");
    snprintf(line, sizeof(line), "%s %0220d", good[0].line, 0);
    refused(line, "comment", "a long comment");
}

/* Each key with each one of its characters missing, or another in its place. */
static void bent(void)
{
    struct ssh_key key;
    char line[4096], why[256];
    unsigned taken_cut = 0, taken_outside = 0;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t start = strcspn(good[i].line, " ") + 1, end = start + strcspn(good[i].line + start, " ");

        for (size_t at = 0; at < end; at++) {
            snprintf(line, sizeof(line), "%.*s%s", (int)at, good[i].line, good[i].line + at + 1);
            taken_cut += ssh_key_parse(line, &key, why, sizeof(why));
            snprintf(line, sizeof(line), "%.*s\x01%s", (int)at, good[i].line, good[i].line + at + 1);
            taken_outside += ssh_key_parse(line, &key, why, sizeof(why));
        }
        for (size_t at = start; at < end; at++) {
            snprintf(line, sizeof(line), "%.*s", (int)at, good[i].line);
            taken_cut += ssh_key_parse(line, &key, why, sizeof(why));
        }
    }
    ok_int(taken_cut, 0, "no key is taken that lost a character, or its end");
    ok_int(taken_outside, 0, "nor one with a control character in it");
}

int main(void)
{
    if (sodium_init() < 0)
        tap_bail("libsodium");
    taken();
    refusals();
    bent();
    return tap_end();
}
