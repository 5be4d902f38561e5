"""The provider's tables, as the steps in which they came to be.

A database gets each step once. What is released stays as it is; a change is a new step at the end.
"""

from __future__ import annotations

from psp_sim import endpoint_store, outbox, store

_SEVERAL_PROCESSES = """
ALTER TABLE deliveries ADD COLUMN claims BIGINT NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE);
INSERT INTO orders (number, reference)
    SELECT MIN(order_number), reference FROM payments GROUP BY reference;
SELECT 1 /*postgresql: , setval(pg_get_serial_sequence('orders', 'number'),
    (SELECT COALESCE(MAX(number), 0) + 1 FROM orders), false) */;
DROP INDEX payments_by_order;
CREATE INDEX IF NOT EXISTS payments_by_status ON payments (status);
CREATE INDEX IF NOT EXISTS events_by_type ON events (type);
CREATE INDEX IF NOT EXISTS events_by_time ON events (created_at);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state);
"""

SCHEMA_STEPS = (
    store.SCHEMA + endpoint_store.SCHEMA + outbox.SCHEMA,
    _SEVERAL_PROCESSES,
    endpoint_store.SEVERAL_PREVIOUS_SECRETS,
)
