/* Public SSH keys: whatever is taken is one line without control characters that begins
 * with its type and is taken again as itself. */
#include "api/ssh_key.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

const char *const fuzz_name = "public SSH keys";
const char *const fuzz_seeds[] = {
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIss6+5xJX2TjjG/9z8NQcrnDE6HV+lCbvgME4hFjQaS",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBD3n81enp3fEMcS+fvM4mpa29xSr"
    "+LY/8TQgaagAJaAoU6UmF2agu+mVFm7lozUl9GhofxpDYPDrhJNeX2lFzvQ= me@laptop",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC4sEiQVd+ijEZtLau0sjvlB/5qJ9VjIDoRkzSNSFSy9hB/PJwaxl968AncOXc5"
    "bg7/GVp6xfsc7ATNcQ0IVfl+ELDvPEG86Dopw+RDOapG2o20vnjMmljUsR+QhhdVCryqEj4GzWid5Yd+Xr0CLAHldSPT6FDm2R1n"
    "KQ1nGnRXs7dqmgriCE/i5qjcFY9FZjw4qrXMc95BfuCDqxTZRkrC+uDstmcZB25CvKd1hp7S2xOTKwSXtmjWg199P08Lk2RQsAqh"
    "QQf7L7LELIyaAG1fCMeGVLjmR34j2rETsQFq7DnMrEg2Eim6Y6du8PqZP9+I+z+zmA/Eyr4RpUb2e1Rv me@laptop",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ssh_key key, again;
    char text[8192], why[256] = "";

    if (size >= sizeof(text))
        return 0;
    memcpy(text, bytes, size);
    text[size] = 0;
    if (!ssh_key_parse(text, &key, why, sizeof(why))) {
        assert(why[0]);
        return 0;
    }
    assert(key.bits >= 256 && strlen(key.line) < SSH_KEY_LINE_BYTES && !strpbrk(key.line, "\n\r\t"));
    assert(strncmp(key.line, key.type, strlen(key.type)) == 0 && strlen(key.fingerprint) == 50);
    assert(ssh_key_parse(key.line, &again, why, sizeof(why)));
    assert(strcmp(key.line, again.line) == 0 && strcmp(key.fingerprint, again.fingerprint) == 0);
    return 0;
}
