"""A customer of the demo: a client of the REST API, as any other."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

HOP_SECONDS = 120.0  # a backlog may lie before the order
PAUSE_SECONDS = 0.005

Json = dict[str, Any]


class WalkFailed(Exception):
    """A step of the walk did not go as it must; the message says which and why."""


class Customer:
    """A customer who is signed in with the name as password. `addresses`: where each service answers."""

    def __init__(self, addresses: Mapping[str, str], name: str, check: Callable[[], None]) -> None:
        self.name, self._addresses, self._check = name, addresses, check
        self._client = httpx.Client(timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        token = self.post("auth/token/", username=self.name, password=self.name)["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Json:
        return self._json(self._ask("GET", path, params=query))

    def post(self, path: str, **body: Any) -> Json:
        return self._json(self._ask("POST", path, json=body))

    def refused(self, path: str) -> str:
        """What a POST is refused with, by the state of things (409). Raises WalkFailed when it is not."""
        answer = self._ask("POST", path, json={})
        if answer.status_code != httpx.codes.CONFLICT:
            raise WalkFailed(f"POST {path} answered {answer.status_code}, it should be refused")
        return f"{answer.status_code} {answer.json()['title']}"

    def first(self, path: str, **query: str) -> Json | None:
        """The newest entry of a list, if there is one."""
        results: list[Json] = self.get(path, **query)["results"]
        return results[0] if results else None

    def account(self, currency: str) -> str:
        """The id of the customer's account in a currency; it is opened when there is none."""
        if currency not in (known := self._accounts()):
            opened = self._ask("POST", "billing/accounts/", json={"currency": currency})
            if opened.status_code != httpx.codes.CONFLICT:  # someone else has just opened it
                self._json(opened)
            known = self._accounts()
        return known[currency]

    def _accounts(self) -> dict[str, str]:
        return {account["currency"]: account["id"] for account in self.get("billing/accounts/")["results"]}

    def wait(self, what: str, look: Callable[[], Json | None], enough: Callable[[Json], bool] = bool) -> Json:
        """Looks again and again until it sees enough. Raises WalkFailed after HOP_SECONDS."""
        deadline = time.monotonic() + HOP_SECONDS
        while not ((found := look()) and enough(found)):
            self._check()
            if time.monotonic() > deadline:
                raise WalkFailed(f"{what} of {self.name} did not come within {HOP_SECONDS:g} s")
            time.sleep(PAUSE_SECONDS)
        return found

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        service = path.split("/")[0]
        address = self._addresses.get(service, self._addresses["orders"])  # every web signs people in
        try:
            return self._client.request(method, f"{address}/api/v1/{path}", **content)
        except httpx.HTTPError as error:
            raise WalkFailed(f"{method} {path} failed: {error}") from error

    def _json(self, answer: httpx.Response) -> Json:
        if not answer.is_success:
            raise WalkFailed(f"{answer.request.method} {answer.url.path} answered {answer.status_code}: {answer.text[:200]}")
        body: Json = answer.json()
        return body
