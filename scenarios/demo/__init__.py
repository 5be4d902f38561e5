"""Polling beside webhooks, live: real processes, real HTTP, and a page for a projector."""
