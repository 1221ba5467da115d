"""Carries events to a service over plain HTTP: CloudEvents in the batched JSON format, one request in flight a destination."""

import time
from collections.abc import Sequence
from http import HTTPStatus

import httpx
from msgspec import json

from kafka_shop.messaging.kafka import Refusal

BATCH_TYPE = "application/cloudevents-batch+json"
ANSWER_SECONDS = 25  # longer than the receiver's statement limit: it has given up before the sender does
CONNECT_SECONDS = 3.0
KEEP_ALIVE_SECONDS = 1.0  # an idle connection; the web closes one after 30 s, and a request that meets this breaks off
TURN_SECONDS = 30
IDLE_TRANSACTION_SECONDS = TURN_SECONDS + ANSWER_SECONDS + 5  # how long the relay's transaction waits for a turn at most
EVENTS_A_REQUEST = 1000
LONE_ATTEMPTS = 5  # of an event that breaks the receiver, before it is set aside
AWAY_SECONDS = 1.0

Row = tuple[int, str, bytes]


class Away(Exception):
    """The receiver cannot take anything now; `seconds` says for how long at least."""

    def __init__(self, reason: str, seconds: float = AWAY_SECONDS) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Broken(Exception):
    """The request was refused, or broke the receiver: the fault may be one event's. for_good: a lone one will never be taken."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class HttpCarrier:
    """Posts a window of rows; what breaks the receiver is searched in halves, so that it holds up nothing else."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
            trust_env=False,
            transport=transport,
        )
        self._breaks: dict[int, int] = {}  # how often a lone row broke the receiver

    def __call__(self, pending: Sequence[Row]) -> tuple[list[int], dict[int, Refusal]]:
        """The numbers of the rows that were taken, and why others were not. Raises Away when none was."""
        taken: list[int] = []
        refused: dict[int, Refusal] = {}
        parts = [list(pending[start : start + EVENTS_A_REQUEST]) for start in range(0, len(pending), EVENTS_A_REQUEST)]
        until = time.monotonic() + TURN_SECONDS
        while parts and time.monotonic() < until:
            part = parts.pop(0)
            try:
                self._post([event for _, _, event in part])
            except Broken as error:
                if len(part) > 1:
                    parts[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
                else:
                    refused[part[0][0]] = self._refusal(part[0][0], error)
            except Away:
                if not taken and not refused:
                    raise
                break
            else:
                taken += [number for number, _, _ in part]
        return taken, refused

    def is_well(self) -> bool:
        """Whether the receiver takes an empty request."""
        try:
            self._post([])
        except (Away, Broken):
            return False
        return True

    def _post(self, events: Sequence[bytes]) -> None:
        """One request. Raises Away, Broken."""
        try:
            answer = self._client.post(self._url, content=b"[" + b",".join(bytes(event) for event in events) + b"]")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Away(f"{self._url} does not answer") from error
        except httpx.TransportError as error:
            raise Broken(f"the request broke off: {type(error).__name__}", for_good=False) from error
        if answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
            raise Broken(f"{self._url} answers {answer.status_code}", for_good=True)
        if answer.status_code != HTTPStatus.NO_CONTENT:
            raise Away(f"{self._url} answers {answer.status_code}: {_detail(answer)}", _retry_after(answer))

    def _refusal(self, number: int, error: Broken) -> Refusal:
        """A lone row that breaks the receiver again and again, while an empty request gets its 204, will never be taken."""
        self._breaks[number] = self._breaks.get(number, 0) + 1
        again_and_again = self._breaks[number] >= LONE_ATTEMPTS and self.is_well()
        return Refusal(str(error), error.for_good or again_and_again)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds of the Retry-After header (RFC 9110), at most a minute."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isascii() and text.isdigit() else AWAY_SECONDS


def _detail(answer: httpx.Response) -> str:
    try:
        return str(json.decode(answer.content).get("detail", ""))[:200]
    except (ValueError, AttributeError):
        return ""
