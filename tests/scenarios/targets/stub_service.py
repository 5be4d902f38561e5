"""A tiny order service with one thing wrong with it, which the command line names."""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, WRONG = int(sys.argv[1]), sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        if self.path == "/healthz":
            return self.answer(503 if WRONG == "never ready" else 200, "{}")
        if WRONG == "no status":
            return self.answer(200, '{"state": "open"}')
        known = self.path == "/orders/o1" and WRONG != "unreadable orders"
        return self.answer(200 if known else 404, json.dumps({"status": "pending"}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/orders":
            return self.answer(404, "<html>nothing here</html>")
        if WRONG == "dies later":
            sys.stdout.write("out of memory\n")
            sys.stdout.flush()
            os._exit(9)
        if WRONG == "no json":
            return self.answer(200, "<html>welcome</html>")
        if WRONG == "server error":
            return self.answer(500, "oops")
        return self.answer(201, '{"order": {"id": null}}' if WRONG == "no id" else '{"id": "o1"}')

    def log_message(self, *_: object) -> None:
        pass


if WRONG == "dies at once":
    sys.stdout.write("cannot find my configuration\n")
    sys.exit(7)
if WRONG == "throws":
    sys.stderr.write("  File server.js\nKeyError: 'PSP_URL'\n\nRuntime v20\n")
    sys.exit(1)
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
