/* xs: the customer's and the operator's command line. Same names as the API. */
#include "client/xs/fail.h"
#include "client/xs/help.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer first where one begins another. */
static const struct command commands[] = {
    { "quote", quote_command, "what a configuration would cost" },
    { "images", images_command, "what can be booted" },
    { "flavors", flavors_command, "sizes" },
    { "create", create_command, "NAME --image I --flavor F [--disk 4G] [--volume V] [--network] [--ssh-key K]\n"
                                "                         [--forward 22] [--user-data FILE] [--wait]: make an instance" },
    { "list", list_command, "your instances" },
    { "show", show_command, "INSTANCE: one of them (id or name)" },
    { "start", start_command, "INSTANCE [--wait]: boot it again" },
    { "stop", stop_command, "INSTANCE [--wait]: ask the guest to shut down" },
    { "power-off", power_off_command, "INSTANCE [--wait]: without asking the guest" },
    { "reboot", reboot_command, "INSTANCE [--wait]: shut down and boot again" },
    { "suspend", suspend_command, "INSTANCE [--wait]: let it stand still, its memory kept" },
    { "resume", resume_command, "INSTANCE [--wait]: let it go on" },
    { "resize", resize_command, "INSTANCE FLAVOR [--wait]: another size for one that is stopped" },
    { "rebuild", rebuild_command, "INSTANCE IMAGE [--wait]: make the disk of one that is stopped anew; what is on it is lost" },
    { "rm", rm_command, "INSTANCE [--wait]: delete it" },
    { "actions", actions_command, "INSTANCE: what was done to it, the newest first" },
    { "log", log_command, "INSTANCE: what it wrote on its console" },
    { "console", console_command, "INSTANCE: type on its console; Ctrl-] ends that" },
    { "ssh", ssh_command, "INSTANCE [--user U] [--wait] [-- COMMAND]: log in, or run a command there" },
    { "sshkey add", sshkey_add_command, "NAME FILE.pub: a key that may log in to guests made with it" },
    { "sshkey list", sshkey_list_command, "your SSH keys" },
    { "sshkey rm", sshkey_rm_command, "NAME|ID: forget it; guests that have it keep it" },
    { "volume create", volume_create_command, "NAME --size 1G [--image I | --snapshot S]: a disk that outlives instances" },
    { "volume list", volume_list_command, "your volumes, instances' own disks among them" },
    { "volume show", volume_show_command, "VOLUME: one of them" },
    { "volume attach", volume_attach_command, "VOLUME INSTANCE [--read-only] [--wait]: give it to a guest" },
    { "volume detach", volume_detach_command, "VOLUME [--wait]: take it from its guest" },
    { "volume resize", volume_resize_command, "VOLUME SIZE: let it grow, attached or not" },
    { "volume snapshot", volume_snapshot_command, "VOLUME NAME: keep what it holds now" },
    { "volume delete", volume_delete_command, "VOLUME: and all that it holds" },
    { "snapshot list", snapshot_list_command, "your snapshots" },
    { "snapshot delete", snapshot_delete_command, "SNAPSHOT: forget it" },
    { "network show", network_show_command, "your network" },
    { "ip list", ip_list_command, "your instances' addresses" },
    { "forward add", forward_add_command, "INSTANCE PORT: let a port of the host lead to this one" },
    { "forward list", forward_list_command, "INSTANCE: its ports of the host" },
    { "forward rm", forward_rm_command, "ID: close the port" },
    { "firewall show", firewall_show_command, "INSTANCE: what may come in and go out" },
    { "firewall allow", firewall_allow_command, "INSTANCE PROTOCOL [PORTS] [--from NET | --out [--to NET]] [--note TEXT]: let it in, or out" },
    { "firewall deny", firewall_deny_command, "INSTANCE PROTOCOL [PORTS] [--from NET | --out [--to NET]]: take that rule away" },
    { "firewall enable", firewall_enable_command, "INSTANCE: what no rule allows is dropped from now on" },
    { "firewall disable", firewall_disable_command, "INSTANCE: keep the rules and let everything pass" },
    { "firewall set", firewall_set_command, "INSTANCE FILE|-: all of it at once, as --json shows it" },
    { "usage", usage_command, "[INSTANCE]: what was used, to this second; or by days:\n"
                              "                         [--by meter|instance|day] [--from DAY] [--to DAY] [--csv | --ndjson]" },
    { "records", records_command, "INSTANCE [--proofs FOLDER]: the signed records behind the bill" },
    { "wallet", wallet_command, "your money, and how long it lasts" },
    { "holds", holds_command, "what is set aside for what runs" },
    { "voucher redeem", voucher_redeem_command, "CODE: into the wallet" },
    { "po create", po_create_command, "NAME AMOUNT [--ends-at TIME]: a purchase order, set aside from the wallet" },
    { "po list", po_list_command, "your purchase orders" },
    { "po show", po_show_command, "NAME|ID: one of them" },
    { "po add", po_add_command, "NAME|ID AMOUNT: more money from the wallet" },
    { "po close", po_close_command, "NAME|ID: what is left returns to the wallet" },
    { "budget create", budget_create_command, "AMOUNT [--steps 50,80,100]: be told when a month costs so much" },
    { "budget list", budget_list_command, "your budgets" },
    { "budget delete", budget_delete_command, "ID: be told no more" },
    { "alerts", alerts_command, "[--standing]: what there is to know about your money" },
    { "prices show", price_show_command, "VERSION: as it was signed" },
    { "prices", prices_command, "the published price books" },
    { "details set", details_set_command, "--name N --street S --postcode P --city C --country DE --email A [--vat-id V]: who is billed from now on" },
    { "details", details_command, "who is billed" },
    { "invoice new", invoice_new_command, "bill what is not yet billed" },
    { "invoice draft", invoice_draft_command, "what an invoice would say now" },
    { "invoice list", invoice_list_command, "your invoices" },
    { "invoice show", invoice_show_command, "ID: its lines and sums" },
    { "invoice get", invoice_get_command, "ID [-o FILE]: download the bundle" },
    { "invoice pdf", invoice_pdf_command, "ID [-o FILE]: to read" },
    { "invoice xml", invoice_xml_command, "ID [-o FILE]: EN 16931, for programs" },
    { "invoice json", invoice_json_command, "ID [-o FILE]: as it was signed" },
    { "invoice csv", invoice_csv_command, "ID [-o FILE]: its lines" },
    { "credit-notes", credit_notes_command, "what was given back" },
    { "dispute open", dispute_open_command, "INVOICE REASON [--line N] [--claim INCARNATION:COUNTER=VALUE]: say what is wrong with it" },
    { "dispute list", dispute_list_command, "[--after CURSOR]: your disputes" },
    { "dispute show", dispute_show_command, "ID: with its evidence" },
    { "events", events_command, "[--follow] [--after SEQ]: what happened; or as it happens" },
    { "audit", audit_command, "[--after SEQ]: who changed what" },
    { "account", account_command, "who you are" },
    { "keys new", keys_new_command, "NAME [--scopes A,B] [--days N] [--from 192.0.2.0/24] [--spend-limit AMOUNT]: a key, shown once" },
    { "keys revoke", keys_revoke_command, "ID: it works no more" },
    { "keys list", keys_list_command, "your keys" },
    { "keys", keys_list_command, NULL },
    { "project list", project_list_command, "what your things are kept apart in; XS_PROJECT says within which xs asks" },
    { "project create", project_create_command, "NAME: a new one" },
    { "project rename", project_rename_command, "PROJECT NAME: call it something else" },
    { "project delete", project_delete_command, "PROJECT: if nothing is left in it" },
    { "member list", member_list_command, "who may do what" },
    { "member invite", member_invite_command, "EMAIL [--role R] [--in PROJECT]: a link that makes them a member" },
    { "member role", member_role_command, "ID ROLE: give another role" },
    { "member remove", member_remove_command, "ID: take the role" },
    { "invitation list", invitation_list_command, "who is invited" },
    { "invitation delete", invitation_delete_command, "ID: take it back" },
    { "webhook create", webhook_create_command, "URL [--event TYPE]: where events are brought to; its secret, shown once" },
    { "webhook list", webhook_list_command, "your webhooks" },
    { "webhook on", webhook_on_command, "ID: bring events there again" },
    { "webhook off", webhook_off_command, "ID: bring none for now" },
    { "webhook ping", webhook_ping_command, "ID: an event to try it with" },
    { "webhook deliveries", webhook_deliveries_command, "ID [--after CURSOR]: what was sent, and what came of it" },
    { "webhook redeliver", webhook_redeliver_command, "DELIVERY: send it again" },
    { "webhook delete", webhook_delete_command, "ID: forget it" },
    { "admin customer add", customer_add_command, "NAME [--currency EUR]: a new one" },
    { "admin customer list", customer_list_command, "all customers" },
    { "admin customer show", customer_show_command, "CUSTOMER: money, instances, keys, people and risk" },
    { "admin suspend", suspend_admin_command, "CUSTOMER|INSTANCE [REASON]: pause it; without a reason, what that would stop" },
    { "admin resume", resume_admin_command, "CUSTOMER|INSTANCE REASON: end an operator's suspension" },
    { "admin domains", domains_command, "all instances of the host" },
    { "admin credit", credit_command, "CUSTOMER AMOUNT [--reason TEXT]: give money" },
    { "admin key revoke", customer_key_revoke_command, "ID: any customer's key works no more" },
    { "admin key", customer_key_command, "CUSTOMER NAME: make a key for a customer" },
    { "admin host", host_command, "the host and its meter" },
    { "admin audit", admin_audit_command, "[--actor ID] [--object ID] [--customer-id C] [--after SEQ]: who changed what;\n"
                                          "                         --verify [--head SEQ:HASH]: whether its chain holds" },
    { "admin operator add", operator_add_command, "NAME [--role view|support|billing|admin]: a key of their own, and where they set a password" },
    { "admin operator list", operator_list_command, "who operates this host" },
    { "admin operator revoke", operator_revoke_command, "ID: they, or that key, work no more" },
    { "admin prices show", admin_price_show_command, "VERSION: a price book, proposed or published" },
    { "admin prices propose", admin_price_propose_command, "FILE: a price book, for another operator to approve" },
    { "admin prices approve", admin_price_approve_command, "VERSION: publish what another operator proposed" },
    { "admin prices withdraw", admin_price_withdraw_command, "VERSION: take the proposal back" },
    { "admin prices diff", admin_price_diff_command, "VERSION [--against VERSION]: what changes" },
    { "admin prices replay", admin_price_replay_command, "VERSION CUSTOMER MONTH: what it would have cost" },
    { "admin prices", admin_prices_command, "all price books, proposed ones too" },
    { "admin voucher", voucher_create_command, "AMOUNT [--expires-at TIME]: a code that is worth it" },
    { "admin bank import", bank_import_command, "FILE: a bank's statement (camt.053)" },
    { "admin bank list", bank_list_command, "[--state suspense]: what came, and where it went" },
    { "admin bank assign", bank_assign_command, "ENTRY CUSTOMER: it was theirs" },
    { "admin bank return", bank_return_command, "ENTRY REASON: it goes back to whom it came from" },
    { "admin ledger balance", ledger_balance_command, "all accounts, added up again" },
    { "admin ledger transfers", ledger_transfers_command, "ACCOUNT [--after CURSOR]: what went in and out" },
    { "admin ledger journal", ledger_journal_command, "[--customer-id C] [-o FILE]: for hledger" },
    { "admin invoices", admin_invoices_command, "[--customer-id C]: of all customers" },
    { "admin credit-notes", admin_credit_notes_command, "[--customer-id C]: of all customers" },
    { "admin credit-note create", credit_note_create_command, "INVOICE REASON [--line N=AMOUNT]: give it back, or parts of it" },
    { "admin disputes", admin_disputes_command, "[--after CURSOR]: of all customers" },
    { "admin dispute show", admin_dispute_show_command, "ID: with its evidence" },
    { "admin dispute resolve", admin_dispute_resolve_command, "ID accepted|rejected REASON [--line N=AMOUNT]...: end it" },
    { "admin reconciliation", reconciliation_command, "the host's own books" },
    { "admin alerts", admin_alerts_command, "[--standing]: of all customers and of the host" },
    { "admin events", admin_events_command, "[--customer-id C] [--follow] [--after SEQ]: of all customers and the host" },
    { "admin suspensions", suspensions_command, "whose guests stand still, for want of money or by an operator" },
    { "admin cap", cap_command, "how well the cap holds" },
};

#define COUNT (sizeof(commands) / sizeof(commands[0]))

/* How many of argv's words the command takes; 0 if it is another. */
static unsigned words_match(const char *words, char **argv)
{
    unsigned taken = 0;

    while (*words) {
        size_t len = strcspn(words, " ");

        if (!argv[taken] || strlen(argv[taken]) != len || strncmp(argv[taken], words, len) != 0)
            return 0;
        taken++;
        words += len;
        words += *words == ' ';
    }
    return taken;
}

/* --json and --ca may stand anywhere before "--": they are taken out of argv. */
static void common_take(char **argv, struct settings *settings)
{
    char **kept = argv;

    for (; *argv && strcmp(*argv, "--") != 0; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            settings->json = true;
        } else if (strcmp(*argv, "--ca") == 0) {
            if (!argv[1])
                fail(EXIT_USAGE, "--ca needs a file");
            settings->ca = *++argv;
        } else {
            *kept++ = *argv;
        }
    }
    while (*argv)
        *kept++ = *argv++;
    *kept = NULL;
}

static int run(const struct command *command, char **argv, struct settings *settings)
{
    struct host *host;
    int status;

    settings_load(settings);
    host = host_open(settings);
    status = command->run(host, argv);
    host_close(host);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail(EXIT_REFUSED, "the output could not be written");
    free(settings->url);
    free(settings->key);
    free(settings->project);
    return status;
}

static int help(char **argv)
{
    if (argv[1] && argv[2] && strcmp(argv[2], "man") == 0)
        help_man(stdout, commands, COUNT);
    else if (argv[1] && argv[2] && strcmp(argv[2], "completion") == 0)
        help_completion(stdout, commands, COUNT);
    else
        help_print(argv[1] ? stdout : stderr, commands, COUNT);
    return argv[1] ? EXIT_DONE : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct settings settings = { .json = false };

    (void)argc;
    if (sodium_init() < 0)
        fail(EXIT_USAGE, "libsodium does not start");
    common_take(argv + 1, &settings);
    if (!argv[1] || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
        return help(argv);
    for (size_t i = 0; i < COUNT; i++) {
        unsigned taken = words_match(commands[i].words, argv + 1);

        if (taken)
            return run(&commands[i], argv + 1 + taken, &settings);
    }
    fail(EXIT_USAGE, "%s: no such command; xs help lists them", argv[1]);
}
