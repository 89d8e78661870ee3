"""Ways to bring a disposable Odoo into the states Ward must recognise. Never install this anywhere else."""

import socket
import time

import odoo
from odoo import http
from odoo.http import request


class WardLab(http.Controller):
    kept = []

    def _done(self, text="ok"):
        return request.make_response(text)

    @http.route("/ward_lab/database", type="http", auth="none", save_session=False)
    def database(self, seconds="2"):
        """A worker waits for PostgreSQL."""
        with odoo.sql_db.db_connect(odoo.tools.config["db_name"][0]).cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [float(seconds)])
        return self._done()

    @http.route("/ward_lab/compute", type="http", auth="none", save_session=False)
    def compute(self, seconds="2"):
        """A worker burns CPU."""
        until, rounds = time.monotonic() + float(seconds), 0
        while time.monotonic() < until:
            rounds += 1
        return self._done(str(rounds))

    @http.route("/ward_lab/third_party", type="http", auth="none", save_session=False)
    def third_party(self, port="1", seconds="5"):
        """A worker waits for a service that does not answer."""
        with socket.create_connection(("127.0.0.1", int(port)), 5) as connection:
            connection.settimeout(float(seconds))
            try:
                connection.recv(1)
            except TimeoutError:
                pass
        return self._done()

    @http.route("/ward_lab/memory", type="http", auth="none", save_session=False)
    def memory(self, megabytes="100"):
        """A worker grows and keeps what it took."""
        self.kept.append(bytearray(int(megabytes) << 20))
        return self._done()

    @http.route("/ward_lab/error", type="http", auth="none", save_session=False)
    def error(self):
        """A traceback with an invented name: it must not appear in anything Ward sends."""
        raise ValueError("patient Jane Doe MRN 12345 not found")
