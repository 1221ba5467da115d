"""What an audit finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that should not be: the check's name, what it is about, and what is the matter."""

    check: str
    subject: str
    detail: str
