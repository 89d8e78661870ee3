"""The far end of the peer's remote write: counts the bytes of every request, head included, and answers 204. Any GET gets
a small page, so that HTTP probes have a target; GET /received tells the count."""

import http.server
import sys


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Sink.received += len(self.raw_requestline) + len(bytes(self.headers)) + len(body)
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        page = (str(Sink.received) if self.path == "/received" else "fine") + "\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
