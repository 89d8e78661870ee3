#!/usr/bin/env python3
"""The clinic that uses the stand-in for Odoo in ./dev up, and the disk under its database, as two pages of metrics.

GET /metrics  lab_workflow_up, lab_workflow_seconds: the billing search, asked through Odoo each second.
              lab_queue_oldest_seconds, lab_queue_waiting: documents that wait to be posted; a runner posts them through Odoo.
GET /volume   node_disk_reads_completed_total, node_disk_read_time_seconds_total of the simulated data volume. Its latency, in
              ms, stands in a file, and PostgreSQL's function read_volume() takes as long: the disk is simulated, what it
              does to queries and to the workflow is real.

While DIR/brittle exists the queue's runner ends at its first failure, as one that never connects again, until the file is gone.
"""

import argparse
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POST_EVERY = 5  # s between two documents
READS = 20  # of the volume, a second
INVOICES = range(2, 1001)  # the faults hold invoice 1


class Odoo:
    def __init__(self, port):
        self._base = f"http://127.0.0.1:{port}"

    def ask(self, path, timeout):
        """Whether it answered 200 in time."""
        try:
            with urllib.request.urlopen(self._base + path, timeout=timeout) as answer:
                answer.read()
                return True
        except (OSError, urllib.error.URLError):
            return False


class Staff(threading.Thread):
    """Somebody who searches again and again. A search under way counts with the time it has taken so far."""

    def __init__(self, odoo):
        super().__init__(daemon=True)
        self._odoo = odoo
        self._begun = None
        self._last = (True, 0.0)

    def run(self):
        while True:
            self._begun = time.monotonic()
            good = self._odoo.ask("/billing/search", timeout=10)
            self._last, self._begun = (good, time.monotonic() - self._begun), None
            time.sleep(1)

    def metrics(self):
        good, seconds = self._last
        begun = self._begun
        if begun is not None:
            seconds = max(seconds, time.monotonic() - begun)
        labels = '{workflow="billing-search"}'
        return f"lab_workflow_up{labels} {int(good)}\nlab_workflow_seconds{labels} {seconds:.3f}\n"


class Queue(threading.Thread):
    """Documents come at an even pace; a runner posts the oldest first and stays with it until it is posted."""

    def __init__(self, odoo, brittle):
        super().__init__(daemon=True)
        self._odoo = odoo
        self._brittle = brittle
        self._waiting = []
        self._made = 0
        self._dead = False
        self._next = time.monotonic()

    def run(self):
        while True:
            now = time.monotonic()
            while self._next <= now:
                self._waiting.append((self._next, INVOICES[self._made % len(INVOICES)]))
                self._made += 1
                self._next += POST_EVERY
            brittle = os.path.exists(self._brittle)
            self._dead = self._dead and brittle
            if self._waiting and not self._dead:
                if self._odoo.ask(f"/billing/post?invoice={self._waiting[0][1]}", timeout=20):
                    del self._waiting[0]
                    continue
                self._dead = brittle
            time.sleep(1)

    def metrics(self):
        waiting = list(self._waiting)
        oldest = time.monotonic() - waiting[0][0] if waiting else 0
        return f"lab_queue_oldest_seconds {max(0, oldest):.1f}\nlab_queue_waiting {len(waiting)}\n"


class Volume(threading.Thread):
    def __init__(self, latency):
        super().__init__(daemon=True)
        self._latency = latency
        self._reads = 0
        self._seconds = 0.0

    def run(self):
        while True:
            with open(self._latency, encoding="ascii") as file:
                milliseconds = float(file.read() or 0)
            self._reads += READS
            self._seconds += READS * milliseconds / 1000
            time.sleep(1)

    def metrics(self):
        labels = '{device="pgdata"}'
        return (f"node_disk_reads_completed_total{labels} {self._reads}\n"
                f"node_disk_read_time_seconds_total{labels} {self._seconds:.4f}\n")


def make_handler(pages):
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self):
            parts = pages.get(self.path)
            data = "".join(part.metrics() for part in parts or ()).encode()
            self.send_response(200 if parts else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, form, *values):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description="Users of an HTTP service, and a simulated disk.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--odoo-port", type=int, required=True)
    parser.add_argument("--latency-file", required=True, help="the volume's latency in ms")
    parser.add_argument("--switches", required=True, help="directory of the file `brittle`")
    options = parser.parse_args()
    odoo = Odoo(options.odoo_port)
    staff = Staff(odoo)
    queue = Queue(odoo, os.path.join(options.switches, "brittle"))
    volume = Volume(options.latency_file)
    for part in (staff, queue, volume):
        part.start()
    handler = make_handler({"/metrics": [staff, queue], "/volume": [volume]})
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
