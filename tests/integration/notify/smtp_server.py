"""An SMTP server (Debian's python3-aiosmtpd) that stores what it takes, read by Python's own mail parser.

usage: smtp_server.py PORT MODE CERTIFICATE KEY DIRECTORY     MODE: starttls, tls, plain
It knows ward with the password in the environment variable SMTP_PASSWORD. Addresses say what becomes of them: gone@ is
refused, busy@ is put off twice, full@ for ever; a sender spam@ is refused after DATA. Mail lies in DIRECTORY as it came
(N.eml) and as it was understood (N.json).
"""
import asyncio
import email
import email.policy
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, mode, certificate, key, directory = sys.argv[1:6]
put_off = {}
stored = 0


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "gone":
            return "550 5.1.1 no such mailbox s3cret"
        if name == "full" or (name == "busy" and put_off.setdefault(address, 0) < 2):
            put_off[address] = put_off.get(address, 0) + 1
            return "450 4.2.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global stored
        if envelope.mail_from.startswith("spam@"):
            return "554 5.7.1 we take no such mail"
        stored += 1
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        understood = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or mode == "tls",
            "login": session.auth_data if session.authenticated else "",
            "headers": [[name, str(value)] for name, value in message.items()],
            "sender": message["From"].addresses[0].addr_spec,
            "receivers": [address.addr_spec for address in message["To"].addresses],
            "body": message.get_content(),
            "defects": [str(d) for d in message.defects]
            + [f"{name}: {d}" for name, value in message.items() for d in value.defects],
            "longest_line": max(len(line) for line in raw.split(b"\r\n")),
            "bare_breaks": raw.replace(b"\r\n", b"").count(b"\n") + raw.replace(b"\r\n", b"").count(b"\r"),
        }
        path = os.path.join(directory, str(stored))
        with open(path + ".eml", "wb") as file:
            file.write(raw)
        with open(path + ".tmp", "w", encoding="utf-8") as file:
            json.dump(understood, file)
        os.rename(path + ".tmp", path + ".json")
        return "250 2.0.0 stored"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"ward" and data.password == os.environ["SMTP_PASSWORD"].encode()
    return AuthResult(success=good, handled=False, auth_data=data.login.decode())


def make(context):
    known = dict(hostname="mail.test", timeout=60)
    if mode == "starttls":
        known.update(tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True)
    elif mode == "tls":
        known.update(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    return lambda: SMTP(Handler(), **known)


async def main():
    context = None
    if mode != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(
        make(context), "127.0.0.1", int(port), ssl=context if mode == "tls" else None
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
