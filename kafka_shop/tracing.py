"""W3C Trace Context, version 00: which trace a request or a message belongs to."""

import re

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")  # ids of zeros only are invalid


def trace_id(traceparent: str) -> str:
    """The trace id of a `traceparent`; "" when it is none."""
    match = TRACEPARENT.fullmatch(traceparent)
    return match[1] if match else ""
