"""The connections to a receiver, a real one: used again while they are good."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from kafka_shop import server
from kafka_shop.messaging.http import KEEP_ALIVE_SECONDS, HttpCarrier, Row
from tests.sessions import eventually


class Receiver(ThreadingHTTPServer):
    """Answers 204 and counts the connections; `hangs_up`: it closes each after its answer, without a word."""

    daemon_threads = True

    def __init__(self, *, hangs_up: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hangs_up, self.opened, self.closed = hangs_up, 0, 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.opened += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed += 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.close_connection = self.server.hangs_up

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def receiver(*, hangs_up: bool = False) -> Iterator[tuple[Receiver, HttpCarrier]]:
    with Receiver(hangs_up=hangs_up) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        carrier = HttpCarrier(f"http://127.0.0.1:{server.server_port}/", "between-services")
        yield server, carrier
        carrier._client.close()
        server.shutdown()


def row(number: int) -> list[Row]:
    return [(number, "customer", b"{}")]


def test_one_connection_carries_many_windows() -> None:
    with receiver() as (server, carry):
        assert [carry(row(number)) for number in range(5)] == [([number], {}) for number in range(5)]
        assert server.opened == 1


def test_no_event_suffers_when_a_receiver_hangs_up_between_two_windows() -> None:
    with receiver(hangs_up=True) as (server, carry):
        for number in range(3):
            assert carry(row(number)) == ([number], {})
            eventually(lambda: server.closed == server.opened)
        assert server.opened == 3


def test_an_idle_connection_is_given_up_before_the_web_closes_it() -> None:
    assert server.KEEP_ALIVE_SECONDS > KEEP_ALIVE_SECONDS
