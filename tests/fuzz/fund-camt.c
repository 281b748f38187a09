/* Bank statements out of foreign bytes: what is accepted is within its bounds,
 * and its payments sum. */
#include "accountd/funding/camt.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "bank statements";

#define HEAD "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001."
#define STMT "\"><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>"
#define TAIL "</Stmt></BkToCstmrStmt></Document>"

const char *const fuzz_seeds[] = {
    HEAD
    "02" STMT
    "<Ntry><Amt Ccy=\"EUR\">12.34</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>"
    "<AcctSvcrRef>A</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>E</Nm></Dbtr></RltdPties><RmtInf><Ustrd>x</"
    "Ustrd><Strd>"
    "<CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>" TAIL,
    HEAD "08" STMT
         "<Ntry><Amt "
         "Ccy=\"EUR\">3</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>false</RvslInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls>"
         "<TxDtls><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls><TxDtls><Amt "
         "Ccy=\"EUR\">2.0</Amt></TxDtls></NtryDtls></Ntry>" TAIL,
    "<!DOCTYPE Document [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>" HEAD "02" STMT "&b;" TAIL,
    "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" HEAD "08" STMT TAIL,
    NULL,
};

static bool fits(const struct camt_payment *p)
{
    return p->nano >= 0 && p->nano <= p->entry_nano && strlen(p->currency) == 3 && strlen(p->status) > 0 &&
           strlen(p->text) < sizeof(p->text) && strlen(p->payer) < sizeof(p->payer) && p->line > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct reference_scan scan;
    struct camt_file file;
    struct json_why why;
    char found[ID_BYTES];
    int64_t sum = 0;

    if (camt_parse((const char *)bytes, size, &file, &why))
        return 0;
    for (size_t i = 0; i < file.count; i++) {
        if (!fits(&file.payments[i]))
            abort();
        sum += file.payments[i].nano;
        reference_scan_start(&scan, file.payments[i].text);
        while (reference_scan_next(&scan, found) != REFERENCE_NONE)
            ;
    }
    if (sum != file.sum_nano)
        abort();
    camt_free(&file);
    return 0;
}
