"""What `docker-compose.yml` and the Dockerfiles say, read without an engine."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[?-])(?P<rest>[^}]*))?\}")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class UnsetVariable(Exception):
    """A variable without which nothing may start."""


@dataclass(frozen=True)
class Image:
    """The last stage of a Dockerfile: what of the checkout lies in it, its variables and its volumes."""

    copied: Mapping[str, str]
    environment: Mapping[str, str]
    volumes: tuple[str, ...]
    extras: tuple[str, ...]

    @classmethod
    def read(cls, file: Path) -> "Image":
        text = file.read_text().replace("\\\n", " ")
        last = text[text.rindex("\nFROM ") :].splitlines()
        words = [shlex.split(line) for line in last if line and not line.startswith("#")]
        copied: dict[str, str] = {}
        environment = {"PATH": _SYSTEM_PATH}
        for line in words:
            if line[0] == "COPY" and not line[1].startswith("--from"):
                copied.update(dict.fromkeys(line[1:-1], f"/app/{line[-1]}"))
            if line[0] == "ENV":
                pairs = (word.split("=", 1) for word in line[1:])
                environment.update({name: value.replace("$PATH", _SYSTEM_PATH) for name, value in pairs})
        volumes = tuple(line[1] for line in words if line[0] == "VOLUME")
        return cls(copied, environment, volumes, tuple(re.findall(r"--extra (\w+)", text)))


def read(variables: Mapping[str, str], profiles: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The file with its variables put in, without the services of other profiles. Raises UnsetVariable."""
    content: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text()), variables)
    services = content["services"]
    content["services"] = {
        name: service for name, service in services.items() if set(service.get("profiles", profiles)) <= profiles
    }
    return content


def in_order(services: Mapping[str, Any]) -> Iterator[str]:
    """Names, each after those that it waits for."""
    done: list[str] = []
    while len(done) < len(services):
        ready = [
            name for name, one in services.items() if name not in done and set(one.get("depends_on", ())) <= set(done)
        ]
        assert ready, "the services wait for each other"
        done += ready
        yield from ready


def seconds(written: str) -> float:
    """A length of time as the file spells it."""
    return float(written.removesuffix("s"))


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    return _VARIABLE.sub(lambda found: _value(found, variables), value) if isinstance(value, str) else value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(found["name"], "")
    if value or found["how"] is None:
        return value
    if found["how"] == "?":
        raise UnsetVariable(found["rest"])
    return found["rest"]
