"""Free TCP ports that stay free while a broker is down."""

import random
import socket
from contextlib import ExitStack

# Below the range that Linux and macOS give to outgoing connections: a client that tries a stopped broker's port again and
# again would otherwise be given that very port for its own end, and hold it.
LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return distinct ports of 127.0.0.1 on which nothing listens now."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = random.randint(LOWEST, HIGHEST)
            probe = held.enter_context(socket.socket())
            if _bound(probe, port):
                ports.append(port)
    return ports


def _bound(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
