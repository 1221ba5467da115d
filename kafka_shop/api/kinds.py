"""The kinds of problems that the API answers with: one table for the answers and for the pages that explain them."""

from typing import NamedTuple

PAGES = "/docs/problems/"


class Kind(NamedTuple):
    """A kind of problem: the last part of its type URI, its status, its title, what it means, what to do about it, and its error codes."""

    name: str
    status: int
    title: str
    meaning: str
    remedy: str
    codes: tuple[tuple[str, str], ...] = ()  # where programs may want to tell one from another: each with its meaning

    @property
    def type(self) -> str:
        """The URI of the page that explains it, relative to the shop's own address (RFC 9457, section 3.1.1)."""
        return PAGES + self.name


KINDS = (
    Kind(
        "bad-request",
        400,
        "Bad Request",
        "The request is not as it must be: its host name, its headers, its query or its body.",
        "Each entry of errors points to a part of the body, or names a query parameter. Mend these and send the request again.",
    ),
    Kind(
        "unauthorized",
        401,
        "Unauthorized",
        "Nobody is signed in, or the token is unknown, expired or revoked, or the user name or the password is wrong.",
        "Get a token by POST /api/v1/auth/token/ and send it as Authorization: Bearer <token>.",
    ),
    Kind(
        "forbidden",
        403,
        "Forbidden",
        "Who is signed in may not do this, or a browser's request lacks its CSRF token.",
        "Ask staff, or sign in as somebody who may. Services send their own token.",
    ),
    Kind(
        "not-found",
        404,
        "Not Found",
        "There is nothing at this path, or it is somebody else's.",
        "Look at the path, and at who is signed in.",
    ),
    Kind(
        "method-not-allowed",
        405,
        "Method Not Allowed",
        "There is something at this path, but not for this method.",
        "The header Allow lists the methods.",
    ),
    Kind(
        "not-acceptable",
        406,
        "Not Acceptable",
        "The answer cannot be had in any of the forms that the header Accept names.",
        "Accept application/json.",
    ),
    Kind(
        "conflict",
        409,
        "Conflict",
        "The state of things refuses the request. The code of the error says which state.",
        "Read the resource again, and decide anew.",
        (
            ("account_exists", "there is an account in this currency already"),
            ("not_enough_money", "the account does not hold what the invoice costs; it stays open"),
            ("not_open", "the invoice is paid, declined, void or refunded"),
            ("not_cancellable", "the order is rejected or cancelled"),
            ("idempotency_key_in_flight", "a request with this key is still being worked on: send it again later"),
        ),
    ),
    Kind(
        "content-too-large",
        413,
        "Content Too Large",
        "A body has at most 1 MiB, of several orders or of events at most 5 MiB; there are at most 1,000 events in a request.",
        "Send less at once.",
    ),
    Kind(
        "unsupported-media-type",
        415,
        "Unsupported Media Type",
        "The body is not JSON in UTF-8, or it is compressed.",
        "Send it with Content-Type: application/json and without Content-Encoding.",
    ),
    Kind(
        "unprocessable-content",
        422,
        "Unprocessable Content",
        "The Idempotency-Key was used with another body or another path.",
        "Use a new key for a new request.",
    ),
    Kind(
        "too-many-requests",
        429,
        "Too Many Requests",
        "Too many attempts to sign in with this name have failed from this address within a minute.",
        "Wait as many seconds as the header Retry-After says.",
    ),
    Kind(
        "internal-server-error",
        500,
        "Internal Server Error",
        "Something broke here. It has been logged.",
        "Try again later. If it stays, tell the shop, with the time and the path.",
    ),
    Kind(
        "service-unavailable",
        503,
        "Service Unavailable",
        "The database is away, or not ready yet.",
        "Send the request again after as many seconds as the header Retry-After says.",
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
BY_STATUS = {kind.status: kind for kind in KINDS}


def kind_of(status: int) -> Kind:
    """The kind of problem that a status says; the class's first for a status that the API does not use (RFC 9110, section 15)."""
    return BY_STATUS.get(status) or BY_STATUS[400 if status < 500 else 500]
