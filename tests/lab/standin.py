#!/usr/bin/env python3
"""A stand-in for Odoo in ./dev up: two worker processes that serve one request at a time and need the PostgreSQL behind them.

GET /web/health                     200 {"status": "pass"}; 500 while the file DIR/fail exists.
GET /web/health?db_server_status=1  also 500 when the database does not answer.
GET /billing/search                 a search on the data volume, 500 when the database refuses it.
GET /billing/post?invoice=N         changes an invoice, and waits for its row as long as another session holds it.

So a symptom follows its cause as with the real program: without the database there are errors, while a session holds a row
the workers are taken and requests queue. The real Odoo is ./dev up --odoo; this one costs nothing.
"""

import argparse
import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import psycopg2

WORKERS = 2
BACKLOG = 8 * WORKERS  # Odoo's own


class Database:
    """A worker's one session, opened when it is first needed and again after it broke."""

    def __init__(self, port, password):
        self._how = {"host": "127.0.0.1", "port": port, "user": "billing", "password": password, "dbname": "postgres",
                     "application_name": "odoo", "connect_timeout": 2}
        self._session = None

    def run(self, statement, *values):
        """The first row, or None when there is none; raises psycopg2.Error when the database does not do it."""
        for again in (True, False):
            try:
                if self._session is None:
                    self._session = psycopg2.connect(**self._how)
                    self._session.autocommit = True
                with self._session.cursor() as cursor:
                    cursor.execute(statement, values)
                    return cursor.fetchone() if cursor.description else None
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                had_one, self._session = self._session is not None, None
                if not (again and had_one):
                    raise
        return None


def make_handler(database, switches):
    def health(query):
        body = {"status": "fail" if os.path.exists(os.path.join(switches, "fail")) else "pass"}
        if "db_server_status" in query:
            try:
                database.run("SELECT 1")
                body["db_server_status"] = True
            except psycopg2.Error:
                body.update(status="fail", db_server_status=False)
        return body

    def search(_):
        count, _ = database.run("SELECT count(*), (SELECT read_volume()) FROM price_list")
        return {"status": "pass", "prices": count}

    def post(query):
        database.run("UPDATE invoice SET amount = amount + 1 WHERE id = %s", int(query["invoice"][0]))
        return {"status": "pass"}

    ways = {"/web/health": health, "/billing/search": search, "/billing/post": post}

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self):
            url = urlsplit(self.path)
            status, body = 404, {"status": "fail"}
            if url.path in ways:
                try:
                    body = ways[url.path](parse_qs(url.query))
                    status = 200 if body["status"] == "pass" else 500
                except (psycopg2.Error, KeyError, ValueError):
                    status = 500
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, form, *values):
            pass

    return Handler


def work(listener, options):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open(options.password_file, encoding="ascii") as file:
        database = Database(options.database_port, file.read().strip())
    handler = make_handler(database, options.switches)
    while True:
        connection, client = listener.accept()
        try:
            handler(connection, client, None)
        except OSError:
            pass  # the client has gone
        finally:
            connection.close()


def main():
    parser = argparse.ArgumentParser(description="An HTTP service that depends on PostgreSQL.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database-port", type=int, required=True)
    parser.add_argument("--password-file", required=True, help="the password of the database's role billing")
    parser.add_argument("--switches", required=True, help="directory of the file `fail`")
    options = parser.parse_args()
    os.makedirs(options.switches, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=BACKLOG)
    workers = []
    for _ in range(WORKERS):
        pid = os.fork()
        if pid == 0:
            work(listener, options)
        workers.append(pid)

    def end(*_):
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
