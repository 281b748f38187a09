/* camt-show FILE: the payments that camt.c reads, a JSON list. */
#include "accountd/funding/camt.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char *text = malloc(CAMT_BYTES_MAX + 1);
    FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
    json_t *list = json_array();
    struct camt_file file;
    struct json_why why;

    if (!in || camt_parse(text, fread(text, 1, CAMT_BYTES_MAX + 1, in), &file, &why)) {
        fprintf(stderr, "%s\n", in ? why.text : "usage: camt-show FILE");
        return 1;
    }
    for (size_t i = 0; i < file.count; i++) {
        const struct camt_payment *p = &file.payments[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "localIban", p->account,
                                        "remoteIban", p->payer_iban, "remoteName", p->payer, "nano",
                                        json_decimal(p->credit ? p->nano : -p->nano), "value_currency", p->currency,
                                        "date", p->booked_on, "bankReference", p->servicer_ref, "purpose", p->text));
    }
    json_dumpf(list, stdout, JSON_INDENT(1));
    json_decref(list);
    camt_free(&file);
    free(text);
    fclose(in);
    return 0;
}
