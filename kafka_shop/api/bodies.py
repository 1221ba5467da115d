"""How large a request's body may be, and how large it is."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any

from django.http import HttpRequest, UnreadablePostError

MOST_BYTES = 1024 * 1024
MOST_BYTES_OF_MANY = 5 * MOST_BYTES
MOST_DRAINED_BYTES = 16 * MOST_BYTES
PIECE_BYTES = 64 * 1024
MANY = re.compile(r"/api/v1/(orders/bulk|[a-z]+/events)/?")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def limit(path: str) -> int:
    """The most bytes that a body for this path may have."""
    return MOST_BYTES_OF_MANY if MANY.fullmatch(path) else MOST_BYTES


def size(request: HttpRequest) -> int:
    """The bytes of a request's body; no server lets more be read than the header says."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def drain(request: HttpRequest) -> None:
    """Reads what is too large past its limit and throws it away: a client that is still sending would not hear the answer."""
    with suppress(UnreadablePostError):
        for _ in range(MOST_DRAINED_BYTES // PIECE_BYTES):
            if not request.read(PIECE_BYTES):
                return


class SizedBodies:
    """WSGI: gives a chunked body its length, up to what is surely too large, because Django takes a body without one for empty."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ:
            body = environ["wsgi.input"].read(MOST_BYTES_OF_MANY + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self.application(environ, start_response)
