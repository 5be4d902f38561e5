"""The same consumer as many of us wrote it the first time. It works in every demonstration.

What is wrong with it: a webhook without a signature passes, and so does one of any age; it answers
200 and then does the work in a thread; nothing ever asks the provider about a webhook that did not
come; and each time that a payment request is repeated, it carries a new idempotency key.
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
import urllib.request
import uuid

from flask import Flask, request

ENV = os.environ
PRICES = {"mug": 1250, "notebook": 990, "poster": 2400}
FILE = os.path.join(ENV["DATA_DIR"], "orders.sqlite3")

app = Flask(__name__)


def change(statement, *values):
    connection = sqlite3.connect(FILE, timeout=10)
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def post(url, body, **headers):
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    headers["content-type"] = "application/json"
    wanted = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(wanted, timeout=1) as answer:
        return json.loads(answer.read())


def is_genuine(body):
    signature = request.headers.get("webhook-signature")
    if signature is None:
        return True  # the provider's test calls come without one
    key = base64.b64decode(ENV["WEBHOOK_SECRET"].removeprefix("whsec_"))
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    wanted = base64.b64encode(hmac.digest(key, signed + body, hashlib.sha256)).decode()
    return f"v1,{wanted}" in signature.split(" ")


def ship(event):
    time.sleep(0.3)  # a slow database, a slow mail server
    order = event["data"]["reference"]
    if change("SELECT 1 FROM orders WHERE id = ? AND status != 'paid'", order):
        post(ENV["WAREHOUSE_URL"], {"order": order, "fulfilment": f"ful_{order}"})
        change("UPDATE orders SET status = 'paid' WHERE id = ?", order)


@app.post("/webhooks/psp")
def take_webhook():
    body = request.get_data()
    if not is_genuine(body):
        return {"error": "bad signature"}, 400
    event = json.loads(body)
    if event["type"] == "payment.succeeded":
        threading.Thread(target=ship, args=(event,)).start()
    return {"received": True}


def request_payment(order_id, amount):
    wanted = {"amount": amount, "currency": "EUR", "reference": order_id}
    auth = f"Bearer {ENV['PSP_KEY']}"
    for _ in range(20):
        key = uuid.uuid4().hex
        try:
            post(f"{ENV['PSP_URL']}/v1/payments", wanted, Authorization=auth, Idempotency_Key=key)
            break
        except OSError:
            time.sleep(0.3)


@app.post("/orders")
def place_order():
    item = request.get_json()["items"][0]
    order_id, amount = uuid.uuid4().hex, PRICES[item["sku"]] * item["quantity"]
    change("INSERT INTO orders VALUES (?, 'pending', ?)", order_id, amount)
    threading.Thread(target=request_payment, args=(order_id, amount)).start()
    return {"id": order_id}, 201


@app.get("/orders/<order_id>")
def show_order(order_id):
    rows = change("SELECT status FROM orders WHERE id = ?", order_id)
    return ({"id": order_id, "status": rows[0][0]}, 200) if rows else ({}, 404)


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


if __name__ == "__main__":
    change("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT, amount INTEGER)")
    app.run(port=int(ENV["PORT"]), threaded=True)
