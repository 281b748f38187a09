/* Strangers who become customers: an account, its first user, and a session. */
#include "api/admin.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/idem.h"
#include "api/people/emails.h"
#include "api/people/session.h"
#include "api/people/sessions.h"
#include "api/resources.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A signup that accountd never answered keeps its email for as long as it could still end well. */
#define UNFINISHED_MS 60000

struct signing {
    struct reply *rp;
    struct customer_row customer;
    struct person_row person;
};

static enum answer signup_read(struct request *rq, struct reply *rp, struct signing *signing, const char **password)
{
    const char *name = "", *email = "", *currency = "EUR", *fault;
    struct fields fields;

    fields_start(&fields, rq->json);
    fields_text(&fields, "name", TITLE_BYTES - 1, &name);
    if (fields_text(&fields, "email", EMAIL_BYTES - 1, &email) && !email_valid(email))
        fields_error(&fields, "email", "invalid_email", "must look like me@example.com");
    if (fields_text(&fields, "password", PASSWORD_BYTES_MAX, password) &&
        (fault = password_fault(*password, email, name)) != NULL)
        fields_error(&fields, "password", "weak_password", "%s", fault);
    if (fields_has(&fields, "currency"))
        fields_choice(&fields, "currency", currencies, &currency);
    if (fields_end(&fields, rp) != ANSWER_OK)
        return ANSWER_INVALID_FIELDS;
    snprintf(signing->customer.name, sizeof(signing->customer.name), "%s", name);
    snprintf(signing->customer.currency, sizeof(signing->customer.currency), "%s", currency);
    snprintf(signing->person.name, sizeof(signing->person.name), "%s", name);
    snprintf(signing->person.login, sizeof(signing->person.login), "%s", email);
    return ANSWER_OK;
}

static enum answer password_take(struct request *rq, struct reply *rp, struct signing *signing, const char *password)
{
    enum answer answer = request_limit(rq, rp, rq->peer, BUCKET_LOGIN);

    if (answer != ANSWER_OK)
        return answer;
    if (password_hash(password, signing->person.password) != PASSWORD_RIGHT)
        return reply_fail(rp, ANSWER_OVERLOADED, "too many are logging in at this moment");
    /* What is stored of a request under its Idempotency-Key is a fast hash: a password's would be guessed at from it.
     */
    json_object_del(rq->json, "password");
    return ANSWER_OK;
}

/* The person's id follows from the account's: a signup that is resumed goes on with the same. */
static void ids_set(struct signing *signing, const struct idem *idem)
{
    snprintf(signing->customer.account_id, sizeof(signing->customer.account_id), "%s", idem->subject_id);
    snprintf(signing->person.account_id, sizeof(signing->person.account_id), "%s", idem->subject_id);
    id_derive("usr_", idem->subject_id, signing->person.person_id);
    signing->customer.created_ms = signing->person.created_ms = idem->created_ms;
}

static int email_taken(struct reply *rp)
{
    json_decref(rp->errors);
    rp->errors = json_pack("[{s:s, s:s, s:s}]", "field", "email", "code", "taken", "detail",
                           "has an account already: log in, or have the password reset");
    return (int)reply_fail(rp, ANSWER_CONFLICT, "this email has an account already");
}

static int signing_insert(struct store *store, const struct idem *idem, void *arg)
{
    struct signing *signing = arg;
    char owner[ID_BYTES];
    int64_t created_ms;
    bool confirmed;
    int rc = store_email_owner(store, signing->person.login, owner, &created_ms, &confirmed);

    if (rc < 0)
        return rc;
    if (rc == 1 && (confirmed || idem->created_ms - created_ms < UNFINISHED_MS))
        return email_taken(signing->rp);
    if (rc == 1 && store_customer_forget(store, owner) != 0)
        return -1;
    ids_set(signing, idem);
    rc = store_customer_insert(store, &signing->customer);
    return rc ? rc : store_owner_insert(store, &signing->person);
}

/* A resumed signup may have lost its email to one that began later. */
static enum answer opened(struct request *rq, struct reply *rp, const struct signing *signing)
{
    char owner[ID_BYTES];
    int64_t created_ms;
    bool confirmed;
    int rc = store_email_owner(rq->api->store, signing->person.login, owner, &created_ms, &confirmed);

    if (rc < 0)
        return reply_fail(rp, ANSWER_STORAGE, "the user cannot be looked up");
    if (rc == 0 || strcmp(owner, signing->customer.account_id) != 0)
        return (enum answer)email_taken(rp);
    return customer_open(rq, rp, &signing->customer);
}

static enum answer signed_up(struct request *rq, struct reply *rp, struct signing *signing, struct idem *idem)
{
    enum answer answer;

    ids_set(signing, idem);
    snprintf(rq->about.object, sizeof(rq->about.object), "%s", idem->subject_id);
    answer = opened(rq, rp, signing);
    if (answer == ANSWER_OK) {
        rp->json = json_pack("{s:o, s:o, s:s}", "user", user_view(&signing->person), "account",
                             customer_view(&signing->customer), "account_id", signing->customer.account_id);
        answer = ANSWER_CREATED;
    }
    answer = idem_close(rq, rp, idem, answer);
    /* Without a session, should it fail, the customer logs in; and has another link sent. */
    if (answer == ANSWER_CREATED) {
        session_start(rq, rp, &signing->person);
        if (rq->api->config.mail_folder)
            email_link_send(rq, &signing->person);
    }
    return answer;
}

/* Whose the Idempotency-Key is, where nobody is anybody yet: the email's. */
static void owner_set(struct request *rq, const char *email)
{
    char text[EMAIL_BYTES + 8];
    size_t len = (size_t)snprintf(text, sizeof(text), "signup:%s", email);

    for (size_t i = 0; i < len; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    id_derive("own_", text, rq->who.person_id);
}

/* A replay has no session: who has the Idempotency-Key has shown no password. */
enum answer signup(struct request *rq, struct reply *rp)
{
    struct signing signing = {.rp = rp};
    const char *password = "";
    struct idem idem;
    enum answer answer;

    if (strcmp(rq->api->config.signup, "open") != 0)
        return reply_fail(rp, ANSWER_FORBIDDEN, "signing up is closed here: ask the operator for an account");
    answer = signup_read(rq, rp, &signing, &password);
    if (answer == ANSWER_OK)
        answer = password_take(rq, rp, &signing, password);
    if (answer != ANSWER_OK)
        return answer;
    owner_set(rq, signing.person.login);
    answer = idem_open(rq, rp, "acc_", "nil_", signing_insert, &signing, &idem);
    if (answer == ANSWER_OK)
        answer = signed_up(rq, rp, &signing, &idem);
    if (answer == ANSWER_CREATED || (answer == ANSWER_REPLAYED && rp->status == 201))
        session_add(rq, rp->json);
    return answer;
}
