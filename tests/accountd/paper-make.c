/* paper-make INVOICE.json DIR: the files of an invoice and their signatures, for stock tools to look at.
 *
 * Keys are made in DIR/keys if they are not there; the host is the invoice's. */
#include "accountd/keys.h"
#include "accountd/paper/cades.h"
#include "accountd/paper/paper.h"
#include "accountd/paper/sshsig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct keys keys;
static struct paper_cades cades;

static int write_file(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[4096];
    FILE *out;
    int rc;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    out = fopen(path, "w");
    rc = !out || fwrite(bytes, 1, len, out) != len;
    if (out && fclose(out))
        rc = 1;
    if (rc)
        perror(path);
    return rc;
}

/* The file and its two signatures. Takes bytes. */
static int write_signed(const char *dir, const char *name, char *bytes, size_t len, const char *host)
{
    char namespace[300], sig_name[300];
    uint8_t *der = NULL;
    size_t der_len;
    char *sig;
    int rc;

    snprintf(namespace, sizeof(namespace), "invoice@%s", host);
    sig = paper_sshsig(bytes, len, namespace, &keys.invoice);
    rc = write_file(dir, name, bytes, len);
    snprintf(sig_name, sizeof(sig_name), "%s.sshsig", name);
    rc |= !sig || write_file(dir, sig_name, sig, strlen(sig));
    snprintf(sig_name, sizeof(sig_name), "%s.p7s", name);
    rc |= paper_cades_sign(&cades, bytes, len, 1795000000000, &der, &der_len) ||
          write_file(dir, sig_name, der, der_len);
    free(der);
    free(sig);
    free(bytes);
    return rc;
}

static int write_keys(const char *dir, const char *host)
{
    char namespace[300], *line, *pem = paper_cades_pem(&cades);
    int rc;

    snprintf(namespace, sizeof(namespace), "invoice@%s", host);
    line = paper_ssh_allowed(host, namespace, &keys.invoice);
    rc = !line || !pem || write_file(dir, "allowed_signers", line, strlen(line)) ||
         write_file(dir, "invoice-cert.pem", pem, strlen(pem));
    free(line);
    free(pem);
    return rc;
}

static int write_papers(const char *dir, const json_t *invoice, const char *host)
{
    struct json_why why;
    size_t pdf_len;
    char *pdf = paper_pdf(invoice, &pdf_len, &why), *xml = pdf ? paper_cii(invoice, &why) : NULL;
    char *csv = xml ? paper_csv(invoice, &why) : NULL;

    if (!csv) {
        fprintf(stderr, "%s\n", why.text);
        free(pdf);
        free(xml);
        return 1;
    }
    return write_signed(dir, "invoice.pdf", pdf, pdf_len, host) |
           write_signed(dir, "invoice.xml", xml, strlen(xml), host) |
           write_signed(dir, "lines.csv", csv, strlen(csv), host);
}

int main(int argc, char **argv)
{
    json_t *invoice = argc == 3 ? json_load_file(argv[1], 0, NULL) : NULL;
    const char *host = json_string_value(json_object_get(invoice, "host"));
    char key_dir[4096];
    int rc;

    if (!host) {
        fprintf(stderr, "usage: paper-make INVOICE.json DIR\n");
        return 2;
    }
    snprintf(key_dir, sizeof(key_dir), "%s/keys", argv[2]);
    rc = keys_open(key_dir, &keys) || paper_cades_open(key_dir, host, 1764000000000, &cades) ||
         write_keys(argv[2], host) || write_papers(argv[2], invoice, host);
    paper_cades_close(&cades);
    json_decref(invoice);
    return rc;
}
