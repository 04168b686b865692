"""Outside tokens made by somebody who is not the provider, sent to a server that takes the provider's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.conversations.issuer import AUDIENCE, ISSUER, Issuer
from tests.services.server import LiveServer

Forge = Callable[[Issuer, Issuer], str]
"""Of the provider and of somebody who would like to be one."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def forger() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def taking(provider: Issuer) -> Iterator[LiveServer]:
    configured = {"AUTH_JWKS_URL": provider.url, "AUTH_JWT_ISSUER": ISSUER, "AUTH_JWT_AUDIENCE": AUDIENCE}
    server = LiveServer(AUTH_MODE="required", NO_PROXY="127.0.0.1", **configured)
    yield server
    server.close()


def ask(server: LiveServer, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{server.url}/chat/conversations", headers=headers, trust_env=False)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, **changed}


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: object, payload: object, signature: bytes = b"none") -> str:
    return f"{part(header)}.{part(payload)}.{part(signature)}"


def with_secret(algorithm: str, secret: bytes, **header: Any) -> str:
    """Signed with a shared secret, whatever the algorithm is said to be."""
    signed = f"{part({'alg': algorithm, 'kid': 'first', **header})}.{part(claims())}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def signed_by(key: Any, algorithm: str, **header: Any) -> str:
    return jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": "first", **header})


def public_der(issuer: Issuer) -> bytes:
    return issuer.keys["first"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def jwk_of(issuer: Issuer) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(issuer.keys["first"].public_key(), as_dict=True), "kid": "first"}


FORGED: dict[str, Forge] = {
    "another key under the same name": lambda _, forger: forger.token(),
    "no signature": lambda *_: by_hand({"alg": "none", "kid": "first"}, claims()),
    "no signature, in capitals": lambda *_: by_hand({"alg": "NonE", "kid": "first"}, claims()),
    "an algorithm that is none": lambda *_: by_hand({"alg": None, "kid": "first"}, claims()),
    "no algorithm": lambda *_: by_hand({"kid": "first"}, claims()),
    "a list of algorithms": lambda *_: by_hand({"alg": ["RS256", "none"], "kid": "first"}, claims()),
    "the public key as a secret": lambda provider, _: with_secret("HS256", provider.public_pem()),
    "the public key's bytes as a secret": lambda provider, _: with_secret("HS256", public_der(provider)),
    "a secret for a signature": lambda provider, _: with_secret("RS256", provider.public_pem()),
    "an empty secret": lambda *_: with_secret("HS256", b""),
    "an elliptic key": lambda *_: signed_by(ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "zeroes for an elliptic signature": lambda *_: by_hand({"alg": "ES256", "kid": "first"}, claims(), b"\0" * 64),
    "an address of keys": lambda _, forger: forger.token(headers={"jku": forger.url}),
    "an address of a certificate": lambda _, forger: forger.token(headers={"x5u": forger.url}),
    "a key of its own": lambda _, forger: forger.token(headers={"jwk": jwk_of(forger)}),
    "a certificate of its own": lambda _, forger: forger.token(headers={"x5c": [part(public_der(forger))]}),
    "no key's name": lambda _, forger: forger.token(headers={"kid": ""}),
    "a path for a key's name": lambda *_: with_secret("HS256", b"", kid="../../../../dev/null"),
    "an address for a key's name": lambda _, forger: forger.token(headers={"kid": forger.url}),
    "a statement for a key's name": lambda _, forger: forger.token(headers={"kid": "first' OR '1'='1"}),
    "a NUL behind a key's name": lambda _, forger: forger.token(headers={"kid": "first\0"}),
    "a list for a key's name": lambda *_: by_hand({"alg": "RS256", "kid": ["first"]}, claims()),
    "a critical field nobody knows": lambda provider, _: provider.token(headers={"crit": ["odd"], "odd": 1}),
    "claims that are not encoded": lambda provider, _: provider.token(headers={"crit": ["b64"], "b64": False}),
    "a header that is a list": lambda *_: by_hand([], claims()),
    "a header that is no JSON": lambda *_: by_hand(b"{", claims()),
    "claims that are a list": lambda *_: by_hand({"alg": "RS256", "kid": "first"}, [claims()]),
    "a header too deep for a stack": lambda *_: by_hand(b"[" * 3000 + b"]" * 3000, claims()),
    "another issuer": lambda provider, _: provider.token(iss="https://evil.example/"),
    "another audience": lambda provider, _: provider.token(aud="evil"),
    "a part of the audience": lambda provider, _: provider.token(aud=AUDIENCE[:-1]),
    "an audience with more": lambda provider, _: provider.token(aud=AUDIENCE + "-admin"),
    "it has expired": lambda provider, _: provider.token(exp=int(time.time()) - 1),
    "it never expires": lambda provider, _: provider.token(exp=None),
    "it expires in no time": lambda provider, _: provider.token(exp=float("nan")),
    "it expires beyond all time": lambda provider, _: provider.token(exp=float("inf")),
    "it expires when it says so": lambda provider, _: provider.token(exp="tomorrow"),
    "it is not yet good": lambda provider, _: provider.token(nbf=int(time.time()) + 600),
    "it is about nobody": lambda provider, _: provider.token(""),
    "it is about a list": lambda provider, _: provider.token(sub=["ada"]),
    "it is about a number": lambda provider, _: provider.token(sub=1),
    "it is about everything": lambda provider, _: provider.token(sub={"$ne": None}),
    "it is longer than a header should be": lambda provider, _: provider.token(groups=["a" * 100] * 200),
}


@pytest.mark.parametrize("name", FORGED)
def test_it_refuses_it(name: str, taking: LiveServer, provider: Issuer, forger: Issuer) -> None:
    answer = ask(taking, FORGED[name](provider, forger))
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, "Bearer")


def test_it_takes_the_providers(taking: LiveServer, provider: Issuer) -> None:
    assert ask(taking, provider.token()).status_code == 200


def test_it_asks_no_address_that_a_token_names(taking: LiveServer, provider: Issuer, forger: Issuer) -> None:
    for header in ("jku", "x5u", "kid"):
        ask(taking, forger.token(headers={header: forger.url}))
    assert forger.fetches == 0


@pytest.mark.parametrize("subject", ["../ada", "ada\0", "ada\n", "é" * 200, "' OR '1'='1"])
def test_it_takes_the_providers_word_for_any_name(subject: str, taking: LiveServer, provider: Issuer) -> None:
    assert ask(taking, provider.token(subject)).status_code == 200
