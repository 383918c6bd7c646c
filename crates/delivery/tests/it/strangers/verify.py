"""Checks requests as a receiver in Python would: HMAC with `standardwebhooks`, ed25519 with `cryptography`.

Reads a list of {"headers", "body", "secret"} or {"headers", "body", "public"} from standard input, and
prints a list of payloads, or of the names of what is wrong.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError


def check(request: dict) -> object:
    headers, body = request["headers"], request["body"]
    if "secret" in request:
        try:
            return Webhook(request["secret"]).verify(body, headers)
        except WebhookVerificationError as wrong:
            return type(wrong).__name__
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(request["public"]))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    for signature in headers["webhook-signature"].split(" "):
        version, text = signature.split(",")
        if version != "v1a":
            continue
        try:
            key.verify(base64.b64decode(text), content)
            return json.loads(body)
        except InvalidSignature:
            pass
    return "InvalidSignature"


print(json.dumps([check(request) for request in json.load(sys.stdin)]))
