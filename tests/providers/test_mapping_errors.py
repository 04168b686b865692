"""Whatever an SDK, its transports or the network may raise has a name of ours."""

from __future__ import annotations

import errno
import inspect
import ssl
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import aiohttp
import anthropic
import httpx2
import openai
import pytest
from aiohttp import http_exceptions
from google.genai import errors as genai_errors
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from providers import errors
from providers.adapters import anthropic as anthropic_adapter
from providers.adapters import gemini
from providers.adapters import openai as openai_adapter
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
)  # fmt: skip

REQUEST = httpx2.Request("POST", "http://vendor.invalid")
SECRET = "sk-secret"
Translate = Callable[[Exception, bool], ProviderError]
TRANSLATE: dict[str, Translate] = {
    "openai": openai_adapter.translate,
    "anthropic": anthropic_adapter.translate,
    "gemini": gemini.translate,
}
STATUSES = {
    400: BadRequest, 401: Unauthorized, 402: VendorFailed, 403: Unauthorized, 404: ModelNotFound, 408: VendorFailed,
    409: VendorFailed, 413: BadRequest, 422: BadRequest, 429: RateLimited, 500: VendorFailed, 502: VendorFailed,
    503: VendorFailed, 504: VendorFailed, 529: VendorFailed, 307: VendorFailed,
}  # fmt: skip

every_translate = pytest.mark.parametrize("translate", TRANSLATE.values(), ids=TRANSLATE.keys())


def exceptions_of(*modules: ModuleType) -> list[type[Exception]]:
    found = {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning)
    }
    return sorted(found, key=lambda kind: kind.__qualname__)


def instance(kind: type[Exception]) -> Exception:
    """An exception of that kind with what it carries, without its constructor: the arguments of each are different."""
    error = kind.__new__(kind)
    error.args = (SECRET,)
    status = getattr(kind, "status_code", 500)
    carried = {"status_code": status if isinstance(status, int) else 500, "request_id": "req", "body": SECRET}
    if issubclass(kind, openai.APIError | genai_errors.APIError):
        carried |= {"code": 500, "details": {"error": {"message": SECRET}}}
    for name, value in {**carried, "message": SECRET}.items():
        try:
            setattr(error, name, value)
        except AttributeError:
            continue
    return error


NETWORK = exceptions_of(aiohttp, aiohttp.client_exceptions, http_exceptions, httpx2)
EVERYWHERE = [*NETWORK, TimeoutError, ConnectionResetError, ssl.SSLError, EOFError, ValueError, RuntimeError, KeyError]
SDKS = {
    "openai": exceptions_of(openai, openai._exceptions),
    "anthropic": exceptions_of(anthropic, anthropic._exceptions),
    "gemini": exceptions_of(genai_errors),
}


ALL = [(vendor, kind) for vendor, kinds in SDKS.items() for kind in [*kinds, *EVERYWHERE]]


@pytest.mark.parametrize(("vendor", "kind"), ALL)
@pytest.mark.parametrize("opened", [False, True])
def test_it_has_a_name_for_every_exception(vendor: str, kind: type[Exception], opened: bool) -> None:
    error = TRANSLATE[vendor](instance(kind), opened)
    assert isinstance(error, ProviderError)
    assert error.retryable
    assert SECRET not in str(error)


@pytest.mark.parametrize(("vendor", "kind"), [(vendor, kind) for vendor, kinds in SDKS.items() for kind in kinds])
def test_it_expects_every_exception_of_the_sdk(vendor: str, kind: type[Exception], caplog: Any) -> None:
    TRANSLATE[vendor](instance(kind), True)
    unexpected = [record for record in caplog.records if record.levelname == "ERROR"]
    assert not unexpected or kind.__module__.startswith(("aiohttp", "builtins")) or kind in LOCAL


LOCAL = {
    openai.InvalidWebhookSignatureError,
    *(
        kind
        for kind in SDKS["gemini"]
        if issubclass(kind, ValueError) and kind is not genai_errors.UnknownApiResponseError
    ),
    genai_errors.ContinuationInterruptedError,
}
"""Raised by parts of the SDKs that are not used here: webhooks, functions, interactions."""


@pytest.mark.parametrize(
    "kind", [kind for kind in NETWORK if issubclass(kind, aiohttp.ClientError | httpx2.HTTPError | httpx2.StreamError)]
)
def test_it_expects_every_exception_of_the_network(kind: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    openai_adapter.translate(instance(kind), True)
    assert not caplog.records


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_it_knows_the_statuses_of_openai(status: int, kind: type[ProviderError]) -> None:
    response = httpx2.Response(status, request=REQUEST)
    error = openai_adapter.translate(openai.APIStatusError(SECRET, response=response, body=None), False)
    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_it_knows_the_statuses_of_anthropic(status: int, kind: type[ProviderError]) -> None:
    response = httpx2.Response(status, request=REQUEST)
    error = anthropic_adapter.translate(anthropic.APIStatusError(SECRET, response=response, body=None), False)
    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_it_knows_the_statuses_of_gemini(status: int, kind: type[ProviderError]) -> None:
    error = gemini.translate(genai_errors.APIError(status, {"error": {"message": SECRET}}), False)
    assert (type(error), error.status) == (kind, status)


def test_it_knows_googles_wrong_key_from_its_wrong_request() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    error = genai_errors.ClientError(400, {"error": {"code": 400, "details": details}})
    assert isinstance(gemini.translate(error, False), Unauthorized)


def test_it_knows_a_filtered_prompt_from_a_wrong_request() -> None:
    response = httpx2.Response(400, request=REQUEST)
    error = openai.BadRequestError(SECRET, response=response, body={"code": "content_filter"})
    assert isinstance(openai_adapter.translate(error, False), Filtered)


def connector_error(os_error: OSError) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(SimpleNamespace(host="h", port=1, ssl=True, is_ssl=True), os_error)  # type: ignore[arg-type]


def wrapped(cause: BaseException, between: Exception) -> Exception:
    """As the SDKs have it: theirs because of httpx2's because of aiohttp's."""
    between.__cause__ = cause
    error = openai.APITimeoutError(REQUEST)
    error.__cause__ = between
    return error


BEFORE_AND_AFTER = [
    (connector_error(ConnectionRefusedError(errno.ECONNREFUSED, "")), Unreachable, Disconnected),
    (aiohttp.ServerDisconnectedError(), Unreachable, Disconnected),
    (aiohttp.ClientOSError(errno.ECONNRESET, ""), Unreachable, Disconnected),
    (aiohttp.ClientPayloadError(), Unreachable, Disconnected),
    (aiohttp.ConnectionTimeoutError(), TimedOut, TimedOut),
    (aiohttp.SocketTimeoutError(), TimedOut, TimedOut),
    (aiohttp.InvalidURL("x"), Unreachable, Unreachable),
    (
        aiohttp.ClientResponseError(
            aiohttp.RequestInfo(URL("http://h"), "POST", CIMultiDictProxy(CIMultiDict()), URL("http://h")), ()
        ),
        Malformed,
        Malformed,
    ),
]


@every_translate
@pytest.mark.parametrize(("cause", "before", "after"), BEFORE_AND_AFTER)
def test_it_knows_what_broke_and_when(
    translate: Translate, cause: Exception, before: type[ProviderError], after: type[ProviderError]
) -> None:
    assert (type(translate(cause, False)), type(translate(cause, True))) == (before, after)


@pytest.mark.parametrize(("cause", "before", "after"), BEFORE_AND_AFTER)
def test_it_believes_the_cause_more_than_what_was_made_of_it(
    cause: Exception, before: type[ProviderError], after: type[ProviderError]
) -> None:
    error = wrapped(cause, httpx2.ConnectTimeout(SECRET))
    assert type(openai_adapter.translate(error, False)) is before


def test_it_logs_neither_key_nor_body_of_what_nobody_expected(caplog: pytest.LogCaptureFixture) -> None:
    openai_adapter.translate(KeyError(SECRET), False)
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_every_failure_of_an_attempt_may_be_tried_elsewhere() -> None:
    ours = [kind for kind in exceptions_of(errors) if kind.__module__ == errors.__name__]
    final = {kind.__name__ for kind in ours if issubclass(kind, ProviderError) and not kind.retryable}
    assert final == {"NotConfigured", "Unanswerable", "AllModelsFailed"}
