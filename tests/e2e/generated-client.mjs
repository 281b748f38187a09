// generated-client.mjs CLIENT URL KEY: what a customer's program does, through nothing but the generated client.
// Exits 1 at the first thing that is not as the contract says.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";

const [file, baseUrl, key] = process.argv.slice(2);
const { Api } = await import(pathToFileURL(file));
const { v1 } = new Api({ baseUrl, securityWorker: () => ({ headers: { Authorization: `Bearer ${key}` } }),
                         baseApiParams: { secure: true } });
const once = () => ({ headers: { "Idempotency-Key": randomUUID() } });

async function ended(action) {
    while (["queued", "running"].includes(action.status))
        action = (await v1.actionShow(action.id, { wait: 30 })).data;
    assert.equal(action.status, "succeeded", JSON.stringify(action));
}

const account = (await v1.accountShow()).data;
assert.match(account.id, /^acc_/);
assert.ok((await v1.imagesList()).data.data.some((image) => image.id === "busy"));
assert.ok((await v1.flavorsList()).data.data.some((flavor) => flavor.id === "busy"));
const quote = (await v1.quoteCreate({ flavor: "busy", seconds: 3600 })).data;
assert.ok(Number(quote.total) > 0, JSON.stringify(quote));

const header = once();
const wanted = { name: "made", image: "busy", flavor: "busy" };
const made = (await v1.instanceCreate(wanted, header)).data;
const again = await v1.instanceCreate(wanted, header);
assert.equal(again.data.id, made.id);
assert.equal(again.headers.get("Idempotent-Replayed"), "true");
await ended(made.action);
const shown = (await v1.instanceShow(made.id)).data;
assert.equal(shown.state, "running");
assert.ok(Array.isArray(shown.meters_running), JSON.stringify(shown));      // empty until the first sample
assert.equal((await v1.instanceUsageShow(made.id)).data.id, made.id);
await assert.rejects(v1.instanceShow("ins_00000000000000000000000000"), (problem) => {
    assert.equal(problem.status, 404);
    assert.equal(problem.error.code, "not_found");
    return true;
});
await ended((await v1.instanceDelete(made.id)).data);
const invoice = (await v1.invoiceCreate(once())).data;
assert.equal((await v1.invoiceShow(invoice.id)).data.id, invoice.id);
assert.equal((await v1.walletShow()).data.currency, "EUR");
