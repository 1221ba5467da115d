"""A customer who orders and waits for the letter.

Reads ORDERS_URL, BILLING_URL, NOTIFY_URL; CUSTOMER and PASSWORD of somebody with an account and money, or signs up a new customer.
"""

import os
import secrets
import sys
import time
from typing import Any

import httpx

PATIENCE_SECONDS = 60


def call(service: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    """Asks a service for a path, or posts a body there. Exits with the answer when it is no success."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{os.environ[f'{service.upper()}_URL']}/api/v1/{path}"
    answer = httpx.request("GET" if body is None else "POST", url, json=body, headers=headers, timeout=10)
    if not answer.is_success:
        sys.exit(f"{path}: {answer.status_code} {answer.text}")
    return answer.json()


def sign_in() -> str:
    """The token of the customer who is named, or of a new one with an account and money in it."""
    if name := os.environ.get("CUSTOMER"):
        return str(call("orders", "auth/token/", {"username": name, "password": os.environ["PASSWORD"]})["token"])
    new = {"username": f"test-{secrets.token_hex(8)}", "password": secrets.token_urlsafe(24)}
    call("orders", "auth/users/", {**new, "email": "test@shop.example"})
    token = str(call("orders", "auth/token/", new)["token"])
    account = call("billing", "billing/accounts/", {}, token)
    call("billing", f"billing/accounts/{account['id']}/deposits/", {"amount": "1000.00"}, token)
    return token


def main() -> None:
    token = sign_in()
    product = min(call("orders", "orders/products/", token=token)["results"], key=lambda each: float(each["price"]))
    order = call("orders", "orders/", {"items": [{"product": product["sku"], "quantity": 1}]}, token)
    print(f"ordered {product['name']}: {order['id']}")
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for letter in call("notify", f"notify/notifications/?order_id={order['id']}", token=token)["results"]:
            print(f"{letter['outcome']}: {letter['subject']}")
            return
        time.sleep(0.5)
    sys.exit(f"no letter after {PATIENCE_SECONDS} s: see the consumers' logs")


main()
