"""An identity provider as tests need one: it signs tokens, and serves its public keys over HTTP on loopback."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://login.example.org/"
AUDIENCE = "dialogix"


class Issuer:
    """keys: what it signs with by key id;  fetches: how often its public keys were asked for"""

    def __init__(self) -> None:
        self.keys = {"first": _key()}
        self.fetches = 0
        self.answer_with: bytes | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys.json"

    def close(self) -> None:
        """It answers no more, and its port is free."""
        self._server.shutdown()
        self._server.server_close()

    def rotate(self) -> None:
        """A new key in the place of the old ones."""
        self.keys = {f"next-{len(self.keys)}": _key()}

    def token(self, subject: str = "ada", *, kid: str | None = None, headers: dict[str, Any] | None = None,
              **claims: Any) -> str:  # fmt: skip
        """A good token for five minutes, but for what is said otherwise; a claim that is None is left out."""
        now = int(time.time())
        given = {"sub": subject, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, **claims}
        name = kid or next(iter(self.keys))
        key = self.keys.get(name) or next(iter(self.keys.values()))
        payload = {claim: value for claim, value in given.items() if value is not None}
        return jwt.encode(payload, key, algorithm="RS256", headers={"kid": name, **(headers or {})})

    def public_pem(self) -> bytes:
        key = next(iter(self.keys.values()))
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwks(self) -> bytes:
        if self.answer_with is not None:
            return self.answer_with
        public = {kid: RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for kid, key in self.keys.items()}
        return json.dumps(
            {"keys": [{**jwk, "kid": kid, "use": "sig", "alg": "RS256"} for kid, jwk in public.items()]}
        ).encode()


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            body = issuer.jwks()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
