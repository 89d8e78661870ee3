#!/usr/bin/env python3
"""A stand-in for Odoo in ./dev up: an HTTP server that is only as healthy as the PostgreSQL behind it.

GET /web/health                     200 {"status": "pass"}; 500 while the file DIR/fail exists; after 4 s while DIR/slow exists.
GET /web/health?db_server_status=1  also 500 when the database's port refuses. So a symptom follows its cause, as with the
                                    real program.
The real Odoo is ./dev up --odoo; this one costs nothing and needs nothing.
"""

import argparse
import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def database_answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def make_handler(database_port, switches):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self):
            if os.path.exists(os.path.join(switches, "slow")):
                time.sleep(4)
            path, _, query = self.path.partition("?")
            body = {"status": "fail" if os.path.exists(os.path.join(switches, "fail")) else "pass"}
            if "db_server_status" in query:
                body["db_server_status"] = database_answers(database_port)
                if not body["db_server_status"]:
                    body["status"] = "fail"
            data = json.dumps(body).encode()
            self.send_response(404 if path != "/web/health" else 200 if body["status"] == "pass" else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, form, *values):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description="An HTTP service that depends on PostgreSQL.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database-port", type=int, required=True)
    parser.add_argument("--switches", required=True, help="directory of the files `fail` and `slow`")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.makedirs(options.switches, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), make_handler(options.database_port, options.switches))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
