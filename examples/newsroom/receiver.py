"""Receives bulletins on this machine, as the route `web` of mob.toml sends them, and prints them.

It believes a request only if its signature is right, as Standard Webhooks asks for. Run it in this
folder; at its first start it writes the secret that it shares with mobkit. Ctrl-C ends it.
"""

import base64
import hashlib
import hmac
import os
import secrets
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ADDRESS = ("127.0.0.1", 7374)
SECRET = Path(__file__).resolve().parent / "receiver.secret"
OLD_SECONDS = 300
BODY_BYTES = 1_000_000


def key():
    if not SECRET.exists():
        text = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        with os.fdopen(os.open(SECRET, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text + "\n")
    return base64.b64decode(SECRET.read_text().strip().removeprefix("whsec_"))


class Receiver(BaseHTTPRequestHandler):
    key = b""
    seen = set()

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if not 0 <= length <= BODY_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)
        if not self.is_signed(body):
            print("refused: the signature is not right", flush=True)
            return self.answer(401)
        # What was sent twice, because an answer was lost, has the same id.
        id = self.headers["webhook-id"]
        again = " (once more)" if id in self.seen else ""
        self.seen.add(id)
        print(f"{id}{again}: {body.decode(errors='replace')}", flush=True)
        return self.answer(204)

    def is_signed(self, body):
        id, sent = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        if not sent.isascii() or not sent.isdigit() or abs(time.time() - int(sent)) > OLD_SECONDS:
            return False
        digest = hmac.new(self.key, f"{id}.{sent}.".encode() + body, hashlib.sha256).digest()
        right = b"v1," + base64.b64encode(digest)
        given = self.headers.get("webhook-signature", "").encode().split()
        return any(hmac.compare_digest(right, signature) for signature in given)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    Receiver.key = key()
    server = HTTPServer(ADDRESS, Receiver)
    print(f"listens on http://{ADDRESS[0]}:{ADDRESS[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
