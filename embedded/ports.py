"""Ports of this machine."""

import errno
import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def why_not_free(host: str, port: int) -> str | None:
    """Why no server could listen there now, in a few words; None when one could."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        # As servers do, so that connections of a server that just ended do not count as a server.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # Two sockets with that option may both be bound to a port; only one may listen.
            listener.listen(1)
        except OSError as error:
            return "it is taken" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
    return None
