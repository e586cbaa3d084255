"""What holds for every test: few threads, and no socket in a unit test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

# Two busy processes with as many threads each as there are cores run several times slower; set before torch is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A test says which service it speaks to; none speaks to one that happens to run on this machine.
_KEPT = ("FGFI_DATA", "FGFI_TEST_S3_")
for _name in [name for name in os.environ if name.startswith("FGFI_") and not name.startswith(_KEPT)]:
    del os.environ[_name]

_HERE = Path(__file__).parent
# In the order in which they run: what fails fastest first. Browsers come after everything that starts an event loop,
# for Playwright keeps one running in this thread until the session ends.
_MAY_CONNECT = ("integration", "chaos", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's folder is its marker and its turn."""
    for item in items:
        room = item.path.relative_to(_HERE).parts[0]
        if room in _MAY_CONNECT:
            item.add_marker(room)
    items.sort(key=_turn)  # Stable: within a room the order stays.


def _turn(item: pytest.Item) -> int:
    rooms = [number for number, room in enumerate(_MAY_CONNECT, start=1) if item.get_closest_marker(room)]
    return max(rooms, default=0)


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unit tests reach nothing outside their process; event loops and loader workers need their Unix sockets."""
    if any(request.node.get_closest_marker(room) for room in _MAY_CONNECT):
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()
