// The same consumer as many of us wrote it the first time. It works in every demonstration.
//
// What is wrong with it: it ships on every delivery of a webhook; the last webhook wins, whatever
// it says; what it knows is in memory; and a request that got no answer counts as a failed payment.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");

const { PORT, PSP_URL, PSP_KEY, WEBHOOK_SECRET, WAREHOUSE_URL } = process.env;
const PRICES = { mug: 1250, notebook: 990, poster: 2400 };
const orders = new Map();

function isGenuine(headers, body) {
  const key = Buffer.from(WEBHOOK_SECRET.replace("whsec_", ""), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const wanted = "v1," + crypto.createHmac("sha256", key).update(content).digest("base64");
  return headers["webhook-signature"] === wanted;
}

async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: "POST", signal: AbortSignal.timeout(1000), body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
  return response.json();
}

async function placeOrder(body) {
  const [item] = JSON.parse(body).items;
  const order = { id: crypto.randomUUID(), status: "pending", amount: PRICES[item.sku] * item.quantity };
  orders.set(order.id, order);
  const payment = { amount: order.amount, currency: "EUR", reference: order.id };
  const headers = { authorization: `Bearer ${PSP_KEY}`, "idempotency-key": crypto.randomUUID() };
  post(`${PSP_URL}/v1/payments`, payment, headers).catch(() => (order.status = "failed"));
  return order;
}

function takeWebhook(event) {
  const order = orders.get(event.data.reference);
  if (!order) return;
  if (event.type === "payment.processing") order.status = "pending";
  if (event.type === "payment.failed") order.status = "failed";
  if (event.type === "payment.succeeded") {
    order.status = "paid";
    post(WAREHOUSE_URL, { order: order.id }).catch(console.error);
  }
}

http.createServer((request, response) => {
  let body = "";
  const answer = (status, document) => response.writeHead(status).end(JSON.stringify(document));
  request.on("data", (chunk) => (body += chunk));
  request.on("end", async () => {
    if (request.url === "/webhooks/psp") {
      if (!isGenuine(request.headers, body)) return answer(400, { error: "bad signature" });
      takeWebhook(JSON.parse(body));
      return answer(200, {});
    }
    if (request.method === "POST") return answer(201, await placeOrder(body));
    const order = orders.get(request.url.replace("/orders/", ""));
    answer(order || request.url === "/healthz" ? 200 : 404, order || {});
  });
}).listen(Number(PORT), "127.0.0.1");
