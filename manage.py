#!/usr/bin/env python
"""Django's command line for the shop."""

import os
import sys

from consumers import health


def execute(argv: list[str]) -> int:
    """Runs a command line and returns its exit code. A probe of a consumer or relay is answered before Django is loaded."""
    if argv[1:2] in (["run_consumer"], ["run_relay"]) and "--check-health" in argv:
        return health.main(argv[1:])
    from kafka_shop import entry

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kafka_shop.settings")
    return entry.execute(argv)


if __name__ == "__main__":
    sys.exit(execute(sys.argv))
