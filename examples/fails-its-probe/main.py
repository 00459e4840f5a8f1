"""Starts, listens, and answers every request with 500: it never takes an address."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)


HTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Broken).serve_forever()
