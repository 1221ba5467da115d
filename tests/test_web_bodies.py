"""Bodies as the servers hand them on: with a length and in chunks, small and too large."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import httpx
import pytest

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
MEBIBYTE = 1024 * 1024
TOKEN, EVENTS = "/api/v1/auth/token/", "/api/v1/orders/events/"
NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"
NO_KEEPALIVE = httpx.Limits(max_keepalive_connections=0)  # after a body that it did not read, a server may close the connection
SERVERS = {
    "run_web": "manage.py run_web --bind 127.0.0.1:{}",
    "runserver": "manage.py runserver --noreload 127.0.0.1:{}",
}


@pytest.fixture(scope="module", params=SERVERS)
def web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a web, each request on a connection of its own. The first web's database is away; the second does not start without."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("web") / "log"
    own = os.environ | {"SERVICE_TOKEN": "secret", "DATABASE_URL": NOWHERE if request.param == "run_web" else ""}
    with log.open("wb") as output, httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=NO_KEEPALIVE, timeout=30) as client:
        server = subprocess.Popen(
            [sys.executable, *SERVERS[request.param].format(port).split()], cwd=ROOT, env=own, stdout=output, stderr=output
        )
        try:
            wait_for(client, log)
            yield client
        finally:
            server.terminate()
            server.wait()


def wait_for(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/live").raise_for_status()
            return
        except httpx.HTTPError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def chunks(size: int, piece: int = 64 * 1024) -> Iterator[bytes]:
    """A JSON object of so many bytes, piece by piece."""
    yield b'{"username": 5'
    for _ in range((size - 15) // piece):
        yield b" " * piece
    yield b" " * ((size - 15) % piece) + b"}"


def post(web: httpx.Client, path: str, content: Any) -> httpx.Response:
    return web.post(path, content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("whole", [True, False], ids=["sized", "chunked"])
@pytest.mark.parametrize("size", [100, MEBIBYTE])
def test_a_body_of_up_to_a_mebibyte_is_read(web: httpx.Client, size: int, whole: bool) -> None:
    answer = post(web, TOKEN, b"".join(chunks(size)) if whole else chunks(size))
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, ["/username", "/password"])


@pytest.mark.parametrize("whole", [True, False], ids=["sized", "chunked"])
@pytest.mark.parametrize(("path", "size"), [(TOKEN, MEBIBYTE + 1), (EVENTS, 5 * MEBIBYTE + 1), ("/admin/login/", 2 * MEBIBYTE)])
def test_a_larger_one_is_413(web: httpx.Client, path: str, size: int, whole: bool) -> None:
    answer = post(web, path, b"".join(chunks(size)) if whole else chunks(size))
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")
    assert answer.json()["type"] == "/docs/problems/content-too-large"


def test_a_client_that_sends_all_before_it_listens_hears_the_answer(web: httpx.Client) -> None:
    request = Request(f"{web.base_url}{TOKEN}", b" " * 10 * MEBIBYTE, {"Content-Type": "application/json"})  # noqa: S310  it is http
    with pytest.raises(HTTPError) as refusal:
        build_opener(ProxyHandler({})).open(request, timeout=30)
    with refusal.value as answer:
        assert answer.code == 413


@pytest.mark.parametrize("whole", [True, False], ids=["sized", "chunked"])
def test_events_may_have_five_mebibytes(web: httpx.Client, whole: bool) -> None:
    size = 5 * MEBIBYTE
    headers = {"Content-Type": "application/cloudevents-batch+json", "Authorization": "Bearer secret"}
    answer = web.post(EVENTS, content=b"".join(chunks(size)) if whole else chunks(size), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parse_error")


def test_the_next_request_on_a_connection_is_not_taken_for_a_body(web: httpx.Client) -> None:
    with httpx.Client(base_url=web.base_url) as client:
        for _ in range(3):
            assert post(client, TOKEN, chunks(100)).status_code == 400
            assert client.get("/live").status_code == 200


@pytest.mark.parametrize("web", ["run_web"], indirect=True)
def test_a_database_that_is_away_is_503_with_a_session_too(web: httpx.Client) -> None:
    for headers in ({"Authorization": "Bearer x"}, {"Cookie": "sessionid=" + "x" * 32}):
        answer = web.get("/api/v1/orders/", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert answer.headers["Retry-After"]
