"""The data folder: owned by one `fgfi up` at a time, with the secret key and the address of the running stack."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedded.errors import StackError

CONNECTION_FILE = "connection.json"
_LOCK_FILE = "lock"
_KEY_FILE = "secret-key"
_API_KEY_FILE = "api-key"


@contextmanager
def owned(folder: Path) -> Iterator[Path]:
    """Hold the folder for the length of a block; the kernel lets go of it however the process ends.

    Raises StackError when it cannot be written or another `fgfi up` holds it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise StackError(
            f"cannot write to the data folder {folder} ({reason}): choose another one with --data"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StackError(
                f"the data folder {folder} is in use by another fgfi up (pid {owner}): "
                "stop that one, or choose another with --data"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield folder
    finally:
        os.close(descriptor)


def secret_key(folder: Path) -> str:
    """The key that signs sessions and hashes API keys: made once, readable by the owner alone."""
    path = folder / _KEY_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip()


def api_key(folder: Path) -> str | None:
    """This machine's API key from an earlier start, if there was one."""
    with suppress(FileNotFoundError):
        return (folder / _API_KEY_FILE).read_text().strip()
    return None


def write_connection(folder: Path, url: str, key: str) -> None:
    """Say where the stack listens and with which API key this machine's `fgfi` may speak to it."""
    write_private(folder / _API_KEY_FILE, key)
    write_private(folder / CONNECTION_FILE, json.dumps({"url": url, "api_key": key, "pid": os.getpid()}) + "\n")


def remove_connection(folder: Path) -> None:
    """Say that nothing listens."""
    (folder / CONNECTION_FILE).unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
