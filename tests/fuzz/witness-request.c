/* add-checkpoint requests and tiles' names out of foreign bytes: nothing is
 * cosigned that no trusted key signed, and no name leaves the folder. */
#include "client/witness/store.h"
#include "client/witness/witness.h"
#include "common/tile_path.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_name = "a witness's requests, tiles' names";

const char *const fuzz_seeds[] = {
    "old 0\n\nh/usage/e1\n7\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 h/usage/e1 AAAAAAAA\n",
    "old "
    "7\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nh/usage/"
    "e1\n9\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n\n"
    "\xe2\x80\x94 x AAAA\n\xe2\x80\x94 h/usage/e1 AAAA\n",
    "0/x001/234.p/17",
    "7/000",
    NULL,
};

static struct witness witness;

static void make_witness(void)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };
    struct note_key log_key;
    struct json_why why;
    char *vkey;

    if (sodium_init() < 0)
        abort();
    crypto_sign_seed_keypair(witness.key.public_key, witness.key.secret_key, seed);
    seed[0] = 2;
    crypto_sign_seed_keypair(log_key.public_key, log_key.secret_key, seed);
    strcpy(witness.name, "w");
    vkey = note_vkey("h/usage/e1", &log_key);
    if (!witness_add_log(&witness, vkey, &why))
        abort();
    free(vkey);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = strndup((const char *)bytes, size);
    struct witness_reply reply;
    bool full;

    if (witness.logs_count == 0)
        make_witness();
    /* No database: whatever came as far as that would be a forgery. */
    witness_add_checkpoint(&witness, text, size < strlen(text) ? size : strlen(text), 1, &reply);
    if (reply.status != 400 && reply.status != 403 && reply.status != 404)
        abort();
    free(reply.body);
    if (tile_path_valid(text, &full) && (strstr(text, "..") || strlen(text) >= TILE_PATH_BYTES))
        abort();
    free(text);
    return 0;
}
