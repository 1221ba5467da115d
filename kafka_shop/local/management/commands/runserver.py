"""Django's development server, which here reads chunked bodies (RFC 9112, section 7.1) instead of taking them for empty."""

from io import BytesIO
from typing import Any, BinaryIO

from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

from kafka_shop.api.bodies import MOST_BYTES_OF_MANY

LONGEST_LINE = 100  # of a chunk's size with its extensions, or of a trailer


class SizingHandler(WSGIRequestHandler):
    """Gives a chunked body its length."""

    def handle_one_request(self) -> None:
        connection = self.rfile
        super().handle_one_request()
        self.rfile = connection

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed and self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = unchunked(self.rfile, most_bytes=MOST_BYTES_OF_MANY + 1)
            self.rfile = BytesIO(body)
            self.headers["Content-Length"] = str(len(body))
        return bool(parsed)


class SizingServer(WSGIServer):
    def finish_request(self, request: Any, client_address: Any) -> None:
        SizingHandler(request, client_address, self)


class Command(Runserver):
    server_cls = SizingServer


def unchunked(stream: BinaryIO, *, most_bytes: int) -> bytes:
    """The first bytes of the body that chunks make up; all are read. Raises ValueError for what is no chunk."""
    body = b""
    while size := int(stream.readline(LONGEST_LINE).split(b";")[0], 16):
        body = (body + stream.read(size))[:most_bytes]
        stream.readline(LONGEST_LINE)
    while stream.readline(LONGEST_LINE).strip():
        continue  # trailers
    return body
