"""Receives the registry's signed webhooks and prints what is genuine. Python's standard library is all it needs."""

import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ["WEBHOOK_SECRET"].encode()
PORT = int(os.environ.get("PORT", "8080"))
AGE_MAX_SECONDS = 300
# Delivered is "at least once": what came before is taken and not done again. A real receiver remembers it on its disk.
seen: set[str] = set()


def is_genuine(header: str, body: bytes, now: float) -> bool:
    """The signature is over the time and the bytes as they came: check it before the body is parsed."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    signed_at, signature = parts.get("t", ""), parts.get("v1", "")
    if not signed_at.isdecimal() or abs(now - int(signed_at)) > AGE_MAX_SECONDS:
        return False
    mac = hmac.new(SECRET, signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac.encode(), signature.encode())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if not is_genuine(self.headers.get("ecru-signature", ""), body, time.time()):
            return self.answer(403)
        event_id = self.headers.get("ecru-event-id", "")
        if event_id not in seen:
            seen.add(event_id)
            event = json.loads(body)
            detail = event["detail"]
            print(event["detail-type"], detail.get("action-type"), detail.get("repository-name"), flush=True)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


HTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
