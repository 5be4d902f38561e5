// A webhook consumer that keeps its promises, with nothing but Node's own modules.
//
// Everything it knows is a journal on disk: an entry is written and synced before anybody hears of
// it, and read again at the start. So nothing that was answered with 2xx is lost in a crash.
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const { PORT, PSP_URL, PSP_KEY, WEBHOOK_SECRET, WAREHOUSE_URL, DATA_DIR } = process.env;
const PRICES = { mug: 1250, notebook: 990, poster: 2400 }; // cents
const TOLERANCE_S = 300;
const BODY_MAX = 65536;
const DEFINITE = [400, 401, 403, 404, 422]; // the provider will never say anything else

// --- what is known
const orders = new Map();
const FILE = path.join(DATA_DIR, "journal.jsonl");
const old = fs.existsSync(FILE) ? fs.readFileSync(FILE, "utf8").split("\n") : [];
const journal = fs.openSync(FILE, "a");
fs.writeSync(journal, "\n"); // a line that a crash broke off stays a line of its own

function apply(entry) {
  if (entry.placed) orders.set(entry.placed.id, { ...entry.placed, status: "pending" });
  else Object.assign(orders.get(entry.order), entry.change);
}

function record(entry) {
  fs.writeSync(journal, JSON.stringify(entry) + "\n");
  fs.fsyncSync(journal);
  apply(entry);
}

for (const line of old) {
  try {
    if (line) apply(JSON.parse(line));
  } catch {
    console.error("a broken line in the journal: nobody was answered, so it can go");
  }
}

// --- what a payment means for its order: the same whoever tells, in any order, any number of times
function learn(payment) {
  const order = orders.get(payment.reference);
  if (!order) return;
  if (payment.status === "succeeded" && ["pending", "failed"].includes(order.status)) {
    if (payment.amount === order.amount && payment.currency === order.currency)
      record({ order: order.id, change: { status: "paid", payment: payment.id } });
    else console.error(`${order.id}: paid ${payment.amount} ${payment.currency}, set aside`);
  }
  if (payment.status === "failed" && order.status === "pending")
    record({ order: order.id, change: { status: "failed", payment: payment.id } });
}

// --- webhooks
function isGenuine(headers, body) {
  const [id, time, signed] = ["id", "timestamp", "signature"].map((n) => headers[`webhook-${n}`]);
  if (!id || !signed || !/^\d{1,12}$/.test(time || "")) return false;
  if (Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE_S) return false;
  const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
  const content = Buffer.concat([Buffer.from(`${id}.${time}.`), body]);
  const wanted = Buffer.from("v1," + crypto.createHmac("sha256", key).update(content).digest("base64"));
  return signed.split(" ").map((one) => Buffer.from(one)) // one for each secret in force
    .some((one) => one.length === wanted.length && crypto.timingSafeEqual(one, wanted));
}

function takeWebhook(headers, body) {
  if (!isGenuine(headers, body)) return [400, { error: "this is not from our provider" }];
  const event = JSON.parse(body);
  if (/^payment\./.test(event.type)) learn(event.data); // journalled before the 200 leaves
  return [200, { received: true }];
}

// --- customers
function placeOrder(body) {
  const [item] = JSON.parse(body).items;
  if (!PRICES[item.sku] || !(item.quantity > 0)) return [422, { error: "we do not sell that" }];
  const id = "ord_" + crypto.randomUUID();
  const amount = PRICES[item.sku] * item.quantity;
  // The key is stored with the order, before the first request: every repeat carries the same one.
  record({ placed: { id, amount, currency: "EUR", key: crypto.randomUUID(), at: Date.now() } });
  setImmediate(work);
  return [201, orders.get(id)];
}

// --- what is done until it is done
async function call(method, url, body, headers = {}) {
  const response = await fetch(url, {
    method, signal: AbortSignal.timeout(1000), body: body && JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
  return [response.status, await response.json().catch(() => ({}))];
}

async function advance(order) {
  const auth = { authorization: `Bearer ${PSP_KEY}` };
  if (order.status === "pending" && !order.payment) {
    const wanted = { amount: order.amount, currency: order.currency, reference: order.id };
    const [status, payment] = await call("POST", `${PSP_URL}/v1/payments`, wanted,
      { ...auth, "idempotency-key": order.key });
    if (status === 201 || status === 200) {
      record({ order: order.id, change: { payment: payment.id } });
      learn(payment);
    } else if (DEFINITE.includes(status)) record({ order: order.id, change: { status: "failed" } });
  } else if (order.status === "pending" && Date.now() - order.at > 1500) {
    const [status, payment] = await call("GET", `${PSP_URL}/v1/payments/${order.payment}`, null, auth);
    if (status === 200) learn(payment); // for webhooks that never came
  } else if (order.status === "paid") {
    // A crash after this call repeats it; the fulfilment's own id lets the warehouse drop that.
    const [status] = await call("POST", WAREHOUSE_URL, { order: order.id, fulfilment: `ful_${order.id}` });
    if (status === 200) record({ order: order.id, change: { status: "fulfilled" } });
  }
}

const busy = new Set();
function work() {
  for (const order of orders.values()) {
    if (busy.has(order.id) || ["fulfilled", "failed"].includes(order.status)) continue;
    busy.add(order.id);
    advance(order).catch(() => {}).finally(() => busy.delete(order.id)); // no answer is unknown: again
  }
}
setInterval(work, 300);

http.createServer((request, response) => {
  const chunks = [];
  let size = 0;
  const answer = (status, body) => response.writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify(body));
  request.on("data", (chunk) => (size += chunk.length) <= BODY_MAX && chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const order = orders.get(request.url.replace("/orders/", ""));
    try {
      if (size > BODY_MAX) answer(413, { error: "too large" });
      else if (request.url === "/healthz") answer(200, { status: "ok" });
      else if (request.url === "/webhooks/psp") answer(...takeWebhook(request.headers, body));
      else if (request.url === "/orders" && request.method === "POST") answer(...placeOrder(body));
      else if (order) answer(200, order);
      else answer(404, { error: "there is nothing here" });
    } catch (problem) {
      answer(problem instanceof SyntaxError || problem instanceof TypeError ? 400 : 500, { error: String(problem) });
    }
  });
}).listen(Number(PORT), "127.0.0.1");
