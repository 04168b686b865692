"""What can go wrong with a vendor, in words of our own.

    ProviderError                    kind
     ├── Unreachable                 unreachable      refused, DNS, TLS, reset before an answer
     ├── TimedOut                    timeout          no (further) answer in time
     ├── BadRequest                  bad_request      400, 413, 422: the vendor takes it not as we sent it
     ├── Unauthorized                unauthorized     401, 403
     ├── ModelNotFound               model_not_found  404
     ├── RateLimited                 rate_limited     the vendor's 429
     ├── VendorFailed                vendor_failed    5xx, 529, an error event, any other refusal
     ├── Malformed                   malformed        what came is not the vendor's protocol
     ├── Disconnected                disconnected     the stream broke off before its end
     ├── EmptyReply                  empty_reply      an ended stream without text
     ├── Filtered                    filtered         refused or filtered, without text
     ├── NotConfigured               not_configured   neither key nor base URL is set
     ├── Unanswerable                unanswerable     no vendor could answer these messages (our 400)
     └── AllModelsFailed             failed           every model was tried; `attempts` tells how

`str(error)` is safe to show: it never holds a vendor's raw body, a key or a prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from providers.events import Attempted


class ProviderError(Exception):
    """A vendor could not answer.

    retryable: whether another model may do better, the caller's only question
    status:    the vendor's HTTP status, where there was one
    """

    kind: ClassVar[str] = "failed"
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(ProviderError):
    kind = "unreachable"


class TimedOut(ProviderError):
    kind = "timeout"


class BadRequest(ProviderError):
    kind = "bad_request"


class Unauthorized(ProviderError):
    kind = "unauthorized"


class ModelNotFound(ProviderError):
    kind = "model_not_found"


class RateLimited(ProviderError):
    kind = "rate_limited"


class VendorFailed(ProviderError):
    kind = "vendor_failed"


class Malformed(ProviderError):
    kind = "malformed"


class Disconnected(ProviderError):
    kind = "disconnected"


class EmptyReply(ProviderError):
    kind = "empty_reply"


class Filtered(ProviderError):
    kind = "filtered"


class NotConfigured(ProviderError):
    kind = "not_configured"
    retryable = False


class Unanswerable(ProviderError):
    kind = "unanswerable"
    retryable = False


class AllModelsFailed(ProviderError):
    """Every model that could be asked was, and none brought text.

    timed_out: the time for the first delta was used up (the contract's 504; everything else is its 500)
    """

    kind = "failed"
    retryable = False

    def __init__(self, message: str, *, attempts: Sequence[Attempted], timed_out: bool = False) -> None:
        super().__init__(message)
        self.attempts = tuple(attempts)
        self.timed_out = timed_out
