"""What may be said of an error: in logs and in the reasons of dead letters nothing that a message or a row holds, but ids."""

from traceback import format_tb, walk_tb

from django.db.utils import Error as DatabaseError

OWN_PACKAGES = {"kafka_shop", "orders", "billing", "notify", "consumers"}


def is_own(module: str) -> bool:
    """Whether a module is the shop's: its errors are one line for a person, and quote no data."""
    return module.split(".")[0] in OWN_PACKAGES


def reason(error: BaseException) -> str:
    """One line for logs and dead letters, without data: an error of the shop's own says what it says, of any other only the kind is told.

    With it goes a database error's code and the constraint that was broken, or else the place in the shop's code.
    """
    kind, code = type(error).__name__, sqlstate(error)
    if code or isinstance(error, DatabaseError):
        return " ".join(filter(None, (kind, code, constraint(error))))
    if is_own(type(error).__module__):
        return f"{kind}: {error}".splitlines()[0][:500]
    return f"{kind} in {place}" if (place := place_of(error)) else kind


def constraint(error: BaseException | None) -> str:
    """The name of the constraint that an error or what caused it is about, or ""."""
    while error is not None:
        if name := getattr(getattr(error, "diag", None), "constraint_name", None):
            return str(name)
        error = error.__cause__
    return ""


def place_of(error: BaseException) -> str:
    """The innermost function of the shop's that an error came through, or ""."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if is_own(frame.f_globals.get("__name__", ""))]
    return f"{frames[-1].f_globals['__name__']}.{frames[-1].f_code.co_qualname}" if frames else ""


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error or of what caused it, or ""."""
    while error is not None:
        code = getattr(error, "sqlstate", None)
        if code:
            return str(code)
        error = error.__cause__
    return ""


def trace(error: BaseException) -> str:
    """Where an error came from, frame by frame, and its reason; before it what it was caused by."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{trace(cause)}\n\n" if cause else ""
    return before + "".join(format_tb(error.__traceback__)) + reason(error)
