"""The web's server: granian speaks HTTP, in Rust, and calls a WSGI application in threads of this process.

granian's own command starts a second process, which outlives the first when that is killed, and lets two webs share a port. Its server with
threads, meant for a Python without a GIL, does neither and serves as well with one.
"""

import os
import socket
from threading import Timer
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MTServer

from kafka_shop.api.bodies import Application

log = structlog.get_logger("web")

END_SECONDS = 20.0  # from the first signal to the end; no statement takes longer
IDLE_SECONDS = 600  # granian's most; then a thread without work ends, and the database connection that it kept
KEEP_ALIVE_SECONDS = 30  # granian closes a connection on which nobody asks for so long


class Server(MTServer):
    """One process. The first signal lets it answer what it was asked, for END_SECONDS at most; a second ends it at once."""

    def _check_gil(self) -> None:
        """It may be there."""

    def _init_shared_socket(self) -> None:
        family = socket.AF_INET6 if ":" in self.bind_addr else socket.AF_INET
        listening = socket.create_server((self.bind_addr, self.bind_port), family=family, backlog=self.backlog)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections have it from here: an answer leaves at once
        self._shd = SocketHolder(listening.detach(), False, self.backlog)  # type: ignore[assignment, call-arg]  # as granian itself calls it

    def signal_handler_interrupt(self, number: int, *_: Any) -> None:
        if self.interrupt_signal:
            os._exit(128 + number)
        last = Timer(END_SECONDS, os._exit, [0])
        last.daemon = True
        last.start()
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # it has no types

    signal_handler_reload = signal_handler_interrupt


def serve(application: Application, *, host: str, port: int, threads: int) -> None:
    """Answers requests until the process is signalled. Raises OSError when it cannot listen there."""
    server = Server(
        "kafka_shop",
        host,
        port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE_SECONDS * 1000),
        websockets=False,
        blocking_threads=threads,
        blocking_threads_idle_timeout=IDLE_SECONDS,
        log_level=LogLevels.error,
        log_dictconfig={"loggers": {}},  # its lines go where all others go
    )
    server.on_startup(lambda: log.info("listening", host=host, port=port, threads=threads))
    server.serve(target_loader=lambda: application, wrap_loader=False)
