"""The proxy before Kafka and PostgreSQL does what it says."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from tests.chaos.proxy import HOST, Proxy
from tests.kafka.ports import free_ports

SECONDS = 0.2


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Before a server that says back what it hears."""
    with socket.create_server((HOST, 0)) as server:
        Thread(target=serve, args=(server,), daemon=True).start()
        proxy = Proxy(free_ports(1)[0], server.getsockname()[1])
        yield proxy
        proxy.close()


def serve(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        Thread(target=say_back, args=(connection,), daemon=True).start()


def say_back(connection: socket.socket) -> None:
    with closing(connection):
        try:
            while data := connection.recv(100):
                connection.sendall(data)
        except OSError:
            return


def connected(proxy: Proxy) -> socket.socket:
    """A client that has had an answer."""
    client = socket.create_connection((HOST, proxy.port), timeout=5)
    assert answer(client) == b"ping"
    return client


def answer(client: socket.socket) -> bytes:
    client.sendall(b"ping")
    return client.recv(100)


def test_what_passes_is_not_changed(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert answer(client) == b"ping"


def test_a_reset_breaks_the_connections_and_lets_new_ones_in(proxy: Proxy) -> None:
    with connected(proxy) as client:
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(100)
    connected(proxy).close()


def test_a_delay_holds_back_each_way_until_it_is_over(proxy: Proxy) -> None:
    with connected(proxy) as client:
        proxy.delay(SECONDS)
        begun = time.monotonic()
        assert answer(client) == b"ping"
        assert time.monotonic() - begun >= 2 * SECONDS


def test_a_half_open_connection_carries_nothing_until_it_is_reset(proxy: Proxy) -> None:
    with connected(proxy) as client:
        proxy.silence()
        client.settimeout(SECONDS)
        with pytest.raises(TimeoutError):
            answer(client)
        connected(proxy).close()
        proxy.reset_silent()
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_an_end_is_passed_on(proxy: Proxy) -> None:
    with connected(proxy) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""


def test_a_server_that_is_away_breaks_the_connection() -> None:
    nobody, port = free_ports(2)
    proxy = Proxy(port, nobody)
    with socket.create_connection((HOST, port), timeout=5) as client, pytest.raises(ConnectionError):
        if not client.recv(100):
            raise ConnectionResetError
    proxy.close()
