"""Unfold's decorators of columns and actions, with types."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from unfold.decorators import action, display

F = TypeVar("F", bound=Callable[..., Any])


def column(title: str, *, badges: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """A method that makes a column; badges: the colour of each value (success, info, warning, danger)."""
    return cast(Callable[[F], F], display(description=title, label=badges))


def button(title: str, *, needs: str, path: str | None = None, icon: str | None = None) -> Callable[[F], F]:
    """A method that is an action on the rows of a list, or with a path one on the row of a page.

    needs: only who `has_{needs}_permission` sees it and can call it.
    """
    return cast(Callable[[F], F], action(description=title, permissions=[needs], url_path=path, icon=icon))
