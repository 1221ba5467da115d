"""The demo's variants: its options, and the settings that they stand for. Read before Django's settings, so nothing here needs them."""

import secrets
from argparse import ArgumentParser

FIXED = {"DEBUG": "true", "DEMO": "true", "SIGN_UP": "true", "SELF_SERVICE_DEPOSITS": "true", "SERVICES": ""}
OWN_DATA = dict.fromkeys(("DATABASE_URL", "ORDERS_DATABASE_URL", "BILLING_DATABASE_URL", "NOTIFY_DATABASE_URL"), "")
OWN_BROKER = {"KAFKA_BOOTSTRAP_SERVERS": "", "KAFKA_CONFIG": ""}
APART = {  # none of them is the database of the services together: rows do not move by themselves
    "DATABASE_URL": "postgres://embedded/apart-orders",
    "BILLING_DATABASE_URL": "postgres://embedded/apart-billing",
    "NOTIFY_DATABASE_URL": "postgres://embedded/apart-notify",
}
PLACEHOLDER = "http://127.0.0.1"  # the demo tells its processes the addresses when it has the ports


def add_options(parser: ArgumentParser) -> None:
    """The options that change settings."""
    parser.add_argument("--external", action="store_true", help="use the databases and the broker that are named in the environment")
    parser.add_argument("--transport", choices=("kafka", "http"), default="kafka", help="http: no broker and no consumers")
    parser.add_argument("--billing", choices=("auto", "on_request"), default="auto", help="on_request: customers pay their invoices")
    parser.add_argument("--apart", action="store_true", help="each service by itself: its own database, web, relay and consumer")


def demo_environment(arguments: list[str]) -> dict[str, str]:
    """The settings that the demo and all its processes run with, whatever `.env` and the environment say.

    With `--external` databases and broker are left as they are named there.
    """
    parser = ArgumentParser(prog="manage.py demo", add_help=False)
    add_options(parser)
    options, _ = parser.parse_known_args(arguments)
    environment = {**FIXED, "TRANSPORT": options.transport, "BILLING_MODE": options.billing}
    if not options.external:
        environment |= OWN_DATA | OWN_BROKER | (APART if options.apart else {})
    if options.transport == "http":
        environment |= dict.fromkeys(("ORDERS_URL", "BILLING_URL", "NOTIFY_URL"), PLACEHOLDER)
        environment["SERVICE_TOKEN"] = secrets.token_urlsafe()
    return environment
