"""Bearer tokens that an outside provider issued: signed JWTs, checked against its public keys.

Taken where `AUTH_JWKS_URL`, `AUTH_JWT_ISSUER` and `AUTH_JWT_AUDIENCE` are all set. The signature must be one of the
asymmetric algorithms (a public key is no shared secret, and `none` is no signature), `iss` and `aud` must be the
configured ones, `exp` and `sub` must be there, `nbf` and `iat` are heeded where they are.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass

import jwt
import msgspec
from django.conf import settings
from jwt.exceptions import PyJWTError

from conversations.api.jwks import Keys, keys_at

SHAPE = re.compile(r"[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}")
LONGEST = 8192
"""Characters. Providers that list a user's groups come to some thousands."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
CLOCK_SKEW = 30
"""Seconds by which a provider's clock may be ahead of ours; how long a token lives is not stretched by it."""

NAME_LENGTH = 100
UNSAFE = re.compile(r"[^A-Za-z0-9@.+_-]")


class InvalidTokenError(Exception):
    """The token is not to be taken."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token is about. username: ours for the person;  seconds: for which the token is still good"""

    username: str
    seconds: float


def accepted() -> bool:
    """Whether outside tokens are taken here."""
    return bool(settings.AUTH_JWKS_URL and settings.AUTH_JWT_ISSUER and settings.AUTH_JWT_AUDIENCE)


def is_one(token: str) -> bool:
    """Whether it has a JWT's shape, which no token of ours has."""
    return len(token) <= LONGEST and SHAPE.fullmatch(token) is not None


def keys() -> Keys:
    return keys_at(settings.AUTH_JWKS_URL)


def kid_of(token: str) -> str:
    """The id of the key it says it was signed with. Raises `InvalidTokenError`."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except PyJWTError as error:
        raise InvalidTokenError(str(error)) from error
    if not isinstance(kid, str) or not kid:
        raise InvalidTokenError("The token names no key.")
    return kid


def subject_of(token: str) -> Subject:
    """Check the token with the keys as they are known. Raises `InvalidTokenError` and `KeysUnavailableError`."""
    key = keys().known(kid_of(token))
    if key is None:
        raise InvalidTokenError("The token's key is unknown.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=settings.AUTH_JWT_AUDIENCE,
            issuer=settings.AUTH_JWT_ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except (PyJWTError, TypeError, ValueError) as error:
        # PyJWT's own errors, and what claims of unexpected types make of its comparisons.
        raise InvalidTokenError(str(error)) from error
    seconds = int(claims["exp"]) - time.time()
    if seconds <= 0 or not claims["sub"]:
        raise InvalidTokenError("The token has expired, or is about nobody.")
    return Subject(username_of(claims["iss"], claims["sub"]), seconds)


def username_of(issuer: str, subject: str) -> str:
    """A name of ours for a provider's subject, the same each time and nobody else's.

    The subject's readable part, and a hash of issuer and subject: subjects are longer than names may be, hold
    characters that names may not, and are unique for their issuer only.
    """
    digest = hashlib.sha256(msgspec.json.encode([issuer, subject])).hexdigest()[:32]
    return f"{UNSAFE.sub('_', subject)[:NAME_LENGTH]}.{digest}"
