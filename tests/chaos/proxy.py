"""A TCP proxy before a server, that can break what passes: reset, delay, half-open connections."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from threading import Thread
from typing import Any

from tests.kafka.probe import wait_until

CHUNK_BYTES = 65_536
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
HOST = "127.0.0.1"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """One client's connection and the server's."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._writers = client, server
        self.silent = False

    def silence(self) -> None:
        """Makes it half-open: both ends believe in it, and nothing passes."""
        self.silent = True

    def reset(self) -> None:
        for writer in self._writers:
            end = writer.get_extra_info("socket")
            if end.family == socket.AF_INET and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()


class Proxy:
    """Listens on `port` and passes everything to a server: `target` is its port, or the path of its Unix socket.

    It runs in a thread of its own until `close`. Its faults may be called from any thread.
    """

    def __init__(self, port: int, target: int | Path) -> None:
        self.port, self._target = port, target
        self._links: set[Link] = set()
        self._delay_seconds = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, HOST, port, reuse_address=True))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self.reset()
        wait_until(lambda: not self._links, 5, "the proxy's connections are closed")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset(self) -> None:
        """Breaks every connection by an RST at both ends."""
        self._each(Link.reset)

    def delay(self, seconds: float) -> None:
        """Every piece of data arrives so much later from now on."""
        self._delay_seconds = seconds

    def silence(self) -> None:
        """What is connected now carries nothing more, not even its end; new connections do."""
        self._each(Link.silence)

    def reset_silent(self) -> None:
        """Half-open connections meet the RST that a real peer, which knows nothing of them, would send."""
        self._each(lambda link: link.reset() if link.silent else None)

    def _each(self, work: Callable[[Link], None]) -> None:
        """Does something to every connection, in the proxy's thread."""

        async def run() -> None:
            for link in self._links:
                work(link)

        self._do(run())

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, server_writer)
        self._links.add(link)
        try:
            await asyncio.gather(self._pass(reader, server_writer, link), self._pass(server_reader, writer, link))
        finally:
            link.reset()
            self._links.discard(link)

    def _connect(self) -> Coroutine[Any, Any, Streams]:
        if isinstance(self._target, Path):
            return asyncio.open_unix_connection(str(self._target))
        return asyncio.open_connection(HOST, self._target)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link) -> None:
        """One direction, until its source ends. A silent link hears that and says nothing."""
        try:
            while data := await reader.read(CHUNK_BYTES):
                await asyncio.sleep(self._delay_seconds)
                if not link.silent:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        if not link.silent:
            writer.close()
