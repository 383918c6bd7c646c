"""Receivers that others wrote: the mail server `aiosmtpd` and the web server of Python, with their TLS.

    receivers.py FOLDER

Makes a certificate authority of its own in FOLDER and a certificate for `localhost`. Prints one JSON
object with the ports and the file of the authority, then one for each thing that arrives.
"""

import asyncio
import datetime
import email
import email.policy
import http.server
import json
import socket
import ssl
import sys
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def say(what: dict) -> None:
    print(json.dumps(what), flush=True)


def certificate(name: str, key, issuer, signer, is_authority: bool) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    )
    if not is_authority:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def server_context(folder: Path) -> ssl.SSLContext:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("tests", authority_key, None, authority_key, True)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = certificate("localhost", key, authority.subject, authority_key, False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(key.private_bytes(pem, *plain) + leaf.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


class Mailbox:
    def __init__(self, wrapped: bool):
        self.wrapped = wrapped

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            {
                "sink": "mail",
                "tls": self.wrapped or bool(session.ssl),
                "user": session.auth_data and session.auth_data.decode(),
                "hello": session.host_name,
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": [[name, str(value)] for name, value in message.items()],
                "defects": [str(found) for found in message.defects]
                + [str(found) for value in message.values() for found in value.defects],
                "text": message.get_content(),
            }
        )
        return "250 taken"


def sign_in(server, session, envelope, mechanism, data):
    if (data.login, data.password) == (b"mob", b"hunter2"):
        return AuthResult(success=True, auth_data=data.login)
    return AuthResult(success=False, handled=False)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        say({"sink": "web", "id": self.headers["webhook-id"], "body": json.loads(body)})
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def forge(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Stands between client and server, and puts answers of its own behind the one that begins TLS."""
    while True:
        connection, _ = listener.accept()
        heard = connection.makefile("rb")
        connection.sendall(b"220 test\r\n")
        heard.readline()
        connection.sendall(b"250-test\r\n250 STARTTLS\r\n")
        heard.readline()
        answers = ["220 go", "250 test", "250 ok", "250 ok", "250 ok", "354 go", "250 taken"]
        connection.sendall("".join(answer + "\r\n" for answer in answers).encode())
        try:
            encrypted = context.wrap_socket(connection, server_side=True)
            while encrypted.recv(1024):
                pass
        except OSError:
            pass
        connection.close()


async def mail(context=None, **settings) -> int:
    def conversation():
        return SMTP(Mailbox(context is not None), hostname="localhost", **settings)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(conversation, "127.0.0.1", 0, ssl=context)
    return server.sockets[0].getsockname()[1]


async def main() -> None:
    folder = Path(sys.argv[1])
    context = server_context(folder)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    forger = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=forge, args=(forger, context), daemon=True).start()
    starttls = await mail(
        tls_context=context,
        require_starttls=True,
        authenticator=sign_in,
        auth_required=True,
    )
    say(
        {
            "authority": str(folder / "authority.pem"),
            "https": web.server_address[1],
            "forger": forger.getsockname()[1],
            "smtp": await mail(),
            "smtps": await mail(context),
            "starttls": starttls,
        }
    )
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
