/* EPC069-12: twelve lines, the last without an end. */
#include "accountd/paper/epc.h"
#include "accountd/paper/words.h"

#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS 70
#define REFERENCE_MAX   35
#define AMOUNT_MAX_NANO 999999999990000000      /* EUR 999,999,999.99 */

/* The bytes of at most `count` characters. */
static int bytes_of(const char *text, unsigned count)
{
    int len = 0;

    for (unsigned i = 0; i < count && text[len]; i++)
        do
            len++;
        while (((unsigned char)text[len] & 0xc0) == 0x80);
    return len;
}

bool paper_epc(const struct paper *p, char text[static EPC_BYTES])
{
    char money[WORDS_BYTES], amount[WORDS_BYTES + 3] = "";

    if (!*p->iban || p->kind == PAPER_CREDIT_NOTE || strlen(p->payment_reference) > REFERENCE_MAX)
        return false;
    if (p->total_nano > 0 && p->total_nano <= AMOUNT_MAX_NANO)
        snprintf(amount, sizeof(amount), "EUR%s", words_cents(p->total_nano, money));
    /* Service tag, version, character set (UTF-8), SEPA credit transfer; no purpose, and no unstructured remittance
     * beside the reference. */
    return snprintf(text, EPC_BYTES, "BCD\n002\n1\nSCT\n%s\n%.*s\n%s\n%s\n\n%s\n\nRefill of a wallet", p->bic,
                    bytes_of(p->seller.name, NAME_CHARACTERS), p->seller.name, p->iban, amount,
                    p->payment_reference) < EPC_BYTES;
}
