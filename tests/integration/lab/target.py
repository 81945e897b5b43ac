"""A web server of a test: says who it is, fails its health check while a file exists. Arguments: address, port, name, that file."""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer

ADDRESS, PORT, NAME, SICK = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer

    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            time.sleep(1)
        sick = self.path.startswith("/health") and SICK.exists()
        body = json.dumps({"name": NAME, "headers": dict(self.headers)}).encode()
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


class Server(ThreadingTCPServer):  # HTTPServer would look its own name up, without a resolver
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


Server((ADDRESS, PORT), Handler).serve_forever()
