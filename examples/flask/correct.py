"""A webhook consumer that keeps its promises: Flask, sqlite3, and nothing else.

Whatever is acknowledged has been committed before. A request without an answer is unknown, never
failed. One worker does what is left to do, again and again, until it is done.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import uuid

from flask import Flask, request

ENV = os.environ
PRICES = {"mug": 1250, "notebook": 990, "poster": 2400}  # cents
FILE = os.path.join(ENV["DATA_DIR"], "orders.sqlite3")
SCHEMA = """CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, key TEXT NOT NULL, placed_at REAL, payment TEXT)
"""
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 65536
app.add_url_rule("/healthz", view_func=lambda: {"status": "ok"}, endpoint="healthz")


def change(statement: str, *values: object) -> list[sqlite3.Row]:
    """Run one statement in a transaction of its own; it is on disk when this returns."""
    connection = sqlite3.connect(FILE, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def learn(payment: dict) -> None:
    """What a payment means for its order: whoever tells, in any order, any number of times."""
    order, amount, currency = payment["reference"], payment["amount"], payment["currency"]
    if payment["status"] == "succeeded":
        change(
            "UPDATE orders SET status = 'paid', payment = ? WHERE id = ? AND amount = ?"
            " AND currency = ? AND status IN ('pending', 'failed')",
            *(payment["id"], order, amount, currency),
        )
    elif payment["status"] == "failed":
        change("UPDATE orders SET status = 'failed' WHERE id = ? AND status = 'pending'", order)


def is_genuine(body: bytes) -> bool:
    """Check a Standard Webhooks signature over the body as it came."""
    names = ("id", "timestamp", "signature")
    event_id, signed_at, signatures = (request.headers.get(f"webhook-{n}", "") for n in names)
    if not (event_id and re.fullmatch("[0-9]{1,12}", signed_at)):
        return False
    if abs(time.time() - int(signed_at)) > 300:  # neither old nor from the future
        return False
    key = base64.b64decode(ENV["WEBHOOK_SECRET"].removeprefix("whsec_"))
    signed = f"{event_id}.{signed_at}.".encode() + body
    wanted = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    given = [one.encode(errors="replace") for one in signatures.split(" ")]
    return any([hmac.compare_digest(wanted, one) for one in given])  # one for each secret in force


@app.post("/webhooks/psp")
def take_webhook():
    body = request.get_data()
    if not is_genuine(body):
        return {"error": "this is not from our provider"}, 400
    event = json.loads(body)
    if event["type"].startswith("payment."):
        learn(event["data"])  # committed before the 200 leaves
    return {"received": True}


@app.post("/orders")
def place_order():
    item = request.get_json()["items"][0]
    if item["sku"] not in PRICES or not 0 < item["quantity"] < 100:
        return {"error": "we do not sell that"}, 422
    order_id, amount = f"ord_{uuid.uuid4().hex}", PRICES[item["sku"]] * item["quantity"]
    # The key is stored with the order, before the first request: every repeat carries the same one.
    values = (order_id, amount, uuid.uuid4().hex, time.time())
    change("INSERT INTO orders VALUES (?, 'pending', ?, 'EUR', ?, ?, NULL)", *values)
    return {"id": order_id, "status": "pending", "amount": amount, "currency": "EUR"}, 201


@app.get("/orders/<order_id>")
def show_order(order_id: str):
    rows = change("SELECT id, status, amount, currency FROM orders WHERE id = ?", order_id)
    return dict(rows[0]) if rows else ({"error": "there is no such order"}, 404)


def call(
    method: str, url: str, body: dict | None = None, headers: dict | None = None
) -> tuple[int, dict]:
    """Return status and answer. Raises OSError when none comes, which means nothing at all."""
    headers = {"content-type": "application/json", **(headers or {})}
    wanted = urllib.request.Request(url, body and json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(wanted, timeout=1) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, {}


def advance(order: sqlite3.Row) -> None:
    """Do what is next for one order."""
    auth, url = {"Authorization": f"Bearer {ENV['PSP_KEY']}"}, f"{ENV['PSP_URL']}/v1/payments"
    if order["status"] == "paid":
        # A crash after this call repeats it; the fulfilment's own id lets the warehouse drop that.
        news = {"order": order["id"], "fulfilment": f"ful_{order['id']}"}
        if call("POST", ENV["WAREHOUSE_URL"], news)[0] == 200:
            change("UPDATE orders SET status = 'fulfilled' WHERE id = ?", order["id"])
    elif order["payment"] is None:
        wanted = {name: order[name] for name in ("amount", "currency")} | {"reference": order["id"]}
        status, payment = call("POST", url, wanted, auth | {"idempotency-key": order["key"]})
        if status in (200, 201):
            change("UPDATE orders SET payment = ? WHERE id = ?", payment["id"], order["id"])
            learn(payment)
        elif status in (400, 401, 403, 404, 422):  # it will never say anything else
            change("UPDATE orders SET status = 'failed' WHERE id = ?", order["id"])
    elif time.time() - order["placed_at"] > 1.5:  # for webhooks that never came
        status, payment = call("GET", f"{url}/{order['payment']}", headers=auth)
        if status == 200:
            learn(payment)


def work() -> None:
    while True:
        for order in change("SELECT * FROM orders WHERE status IN ('pending', 'paid')"):
            with contextlib.suppress(OSError, ValueError):  # no answer is unknown: so again
                advance(order)
        time.sleep(0.2)


if __name__ == "__main__":
    change("PRAGMA journal_mode = WAL")
    change(SCHEMA)
    threading.Thread(target=work, daemon=True).start()
    app.run(port=int(ENV["PORT"]), threaded=True)
