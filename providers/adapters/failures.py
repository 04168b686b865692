"""Errors of vendors and of the network in words of our own.

Sentences are built from the vendor's name, the status and the kind; never from what the vendor wrote, which may hold a
key or a prompt.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import aiohttp
import httpx2

from providers.errors import (
    BadRequest,
    Disconnected,
    Filtered,
    Malformed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    TimedOut,
    Unauthorized,
    Unreachable,
    VendorFailed,
)

logger = logging.getLogger("providers")

STATUSES: dict[int, type[ProviderError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: ModelNotFound,
    413: BadRequest,
    422: BadRequest,
    429: RateLimited,
}
"""Anything else is VendorFailed: also an answered 408 or 504, for a vendor that answers does not hang."""

WORDS: dict[type[ProviderError], str] = {
    BadRequest: "the request was refused",
    Unauthorized: "the key was refused",
    ModelNotFound: "no such model",
    RateLimited: "rate limited",
    VendorFailed: "the provider failed",
    Filtered: "the content was filtered",
}

SENTENCES: dict[type[ProviderError], str] = {
    TimedOut: "did not answer in time",
    Unreachable: "could not be reached",
    Disconnected: "broke off before the end of its reply",
    Malformed: "sent something that is not its protocol",
    Filtered: "refused or filtered its reply",
}

# The first row that the exception or a cause of it matches decides. The transports in between lose what aiohttp knew
# (the OpenAI SDK's calls every failed connection a timeout), so its own words come first. None: the connection broke.
NETWORK: tuple[tuple[type[BaseException], type[ProviderError] | None], ...] = (
    (aiohttp.ServerTimeoutError, TimedOut),
    (aiohttp.ClientPayloadError, None),
    (aiohttp.InvalidURL, Unreachable),
    (aiohttp.ClientProxyConnectionError, Unreachable),
    (aiohttp.ClientHttpProxyError, Unreachable),
    (aiohttp.ClientResponseError, Malformed),
    (aiohttp.ClientError, None),
    (httpx2.TimeoutException, TimedOut),
    (httpx2.DecodingError, Malformed),
    (httpx2.TooManyRedirects, VendorFailed),
    (httpx2.UnsupportedProtocol, Unreachable),
    (httpx2.InvalidURL, Unreachable),
    (httpx2.HTTPStatusError, VendorFailed),
    (httpx2.HTTPError, None),
    (httpx2.StreamError, None),
    (TimeoutError, TimedOut),
    (OSError, None),
    (EOFError, None),
)


def of_status(vendor: str, status: int, kind: type[ProviderError] | None = None) -> ProviderError:
    """The vendor answered with an HTTP status of 3xx to 5xx. kind: where the adapter knows better than the status."""
    kind = kind or STATUSES.get(status, VendorFailed)
    return kind(f"{vendor} answered with status {status} ({WORDS[kind]}).", status=status)


def in_stream(vendor: str, kind: type[ProviderError]) -> ProviderError:
    """The vendor reported an error in a stream that had begun with status 200."""
    return kind(f"{vendor} reported an error in its stream ({WORDS[kind]}).")


def of_kind(vendor: str, kind: type[ProviderError]) -> ProviderError:
    """What went wrong without a status."""
    return kind(f"{vendor} {SENTENCES.get(kind, 'failed')}.")


def of_exception(
    vendor: str, error: Exception, table: Mapping[type[Exception], type[ProviderError]], *, opened: bool
) -> ProviderError:
    """Whatever else was raised: by the network, by the SDK (`table`), or by something nobody expected.

    opened: the vendor had begun to answer
    """
    kind = _network_kind(error, opened) or next((ours for its, ours in table.items() if isinstance(error, its)), None)
    if kind is not None:
        return of_kind(vendor, kind)
    # Where it was raised, not what it says: it may quote the vendor or the request.
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-1:]]
    logger.error("%s: unexpected %s at %s", vendor, type(error).__qualname__, where)
    return VendorFailed(f"{vendor} could not be asked ({type(error).__name__}).")


@contextmanager
def translated(translate: Callable[[Exception, bool], ProviderError]) -> Iterator[None]:
    """Whatever is raised inside becomes one of ours. For questions that are answered at once, without a stream."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a boundary: an SDK and its transports may raise anything
        raise translate(error, False) from None


def _network_kind(error: BaseException | None, opened: bool) -> type[ProviderError] | None:
    chain: list[BaseException] = []
    while error is not None and len(chain) < 16:
        chain.append(error)
        error = error.__cause__
    for kind, ours in NETWORK:
        if any(isinstance(link, kind) for link in chain):
            return ours or (Disconnected if opened else Unreachable)
    return None
