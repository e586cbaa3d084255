import stat
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import folder
from embedded.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from embedded import folder

with folder.owned(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_process_holds_is_refused_with_its_number(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with (
            pytest.raises(StackError, match=rf"is in use by another fgfi up \(pid {holder.pid}\)"),
            folder.owned(tmp_path),
        ):
            pass

        holder.kill()

    # A killed holder holds nothing: no file has to be removed by hand.
    with folder.owned(tmp_path):
        pass


def test_a_file_in_the_place_of_the_folder_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(StackError, match=r"data \(it is a file\): choose another one"), folder.owned(tmp_path / "data"):
        pass


def test_a_folder_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with folder.owned(tmp_path / "data"):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with (
        pytest.raises(StackError, match=r"cannot write to the data folder .*file/data .*--data"),
        folder.owned(tmp_path / "file" / "data"),
    ):
        pass


def test_the_secret_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    key = folder.secret_key(tmp_path)

    assert folder.secret_key(tmp_path) == key
    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_two_folders_have_two_secret_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert folder.secret_key(tmp_path / "a") != folder.secret_key(tmp_path / "b")


def test_the_connection_goes_and_the_key_stays(tmp_path: Path) -> None:
    folder.write_connection(tmp_path, "http://127.0.0.1:8000", "fgfi_key")
    assert stat.S_IMODE((tmp_path / folder.CONNECTION_FILE).stat().st_mode) == 0o600

    folder.remove_connection(tmp_path)

    assert not (tmp_path / folder.CONNECTION_FILE).exists()
    assert folder.api_key(tmp_path) == "fgfi_key"
