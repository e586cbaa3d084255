"""The Compose file as far as it can be judged without an engine: what it refuses, publishes and starts."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from store.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
WORKERS = {"checker", "worker", "worker-gpu"}
EXAMPLE = dict(line.split("=", 1) for line in (ROOT / "docker/example.env").read_text().splitlines() if "=" in line)
SECRETS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY", "FGFI_SECRET_KEY"}


def test_every_part_of_the_service_is_there() -> None:
    assert {"postgres", "redis", "s3", "migrate", "api", "steward", *WORKERS} <= SERVICES.keys()


def test_an_unset_secret_is_refused_wherever_it_is_used() -> None:
    used = re.findall(r"\$\{(\w+)(:\?|:-|\})", TEXT)

    assert {name for name, _ in used} >= SECRETS
    assert {how for name, how in used if name in SECRETS} == {":?"}


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))

    assert used - {"FGFI_BIND"} == EXAMPLE.keys()
    optional = {name for name in used if name.startswith("FGFI_OIDC_")}
    assert {name for name, value in EXAMPLE.items() if not value} - optional == SECRETS


def test_only_the_api_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert SERVICES["api"]["ports"] == ["${FGFI_BIND:-127.0.0.1}:8000:8000"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_setting_of_a_part_is_one_that_it_knows(name: str) -> None:
    ours = {key.removeprefix("FGFI_").lower() for key in SERVICES[name]["environment"] if key.startswith("FGFI_")}

    assert ours <= Settings.model_fields.keys()
    assert {"database_url", "redis_url", "storage_url", "secret_key"} <= ours


def test_the_servers_say_when_they_are_ready_and_the_parts_wait_for_it() -> None:
    assert all("healthcheck" in SERVICES[name] for name in ("postgres", "redis", "s3", "api"))
    for name in OURS - {"migrate"}:
        waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert waits["migrate"] == "service_completed_successfully"
        assert waits["redis"] == "service_healthy"


def test_everything_that_stays_says_whether_it_is_well_and_has_an_init() -> None:
    for name in SERVICES.keys() - {"migrate", "bucket"}:
        assert SERVICES[name]["init"], name
        assert SERVICES[name]["healthcheck"]["test"], name


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_parts_can_write_nowhere_but_where_they_must(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_database_broker_and_store_are_in_a_network_without_a_way_out() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == SERVICES.keys() - OURS


def test_a_worker_for_gpus_starts_only_when_asked_for() -> None:
    gpu = SERVICES["worker-gpu"]

    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["worker-gpu"]
    assert gpu["environment"]["FGFI_WORKER_CLASSES"] == "gpu"
    assert gpu["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


def test_redis_keeps_what_it_was_told() -> None:
    content = COMPOSE["configs"]["redis"]["content"].splitlines()

    assert {"appendonly yes", "maxmemory-policy noeviction"} <= set(content)


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_a_worker_has_time_to_write_a_checkpoint_before_it_is_killed(name: str) -> None:
    grace = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))

    assert grace > Settings.model_fields["stop_grace_seconds"].default


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_starts_a_module_that_exists(name: str) -> None:
    words = SERVICES[name]["command"]
    modules = [
        word.removeprefix("--app=").split(":")[0] for word in words if re.match(r"(--app=)?(api|store|worker)\.", word)
    ]

    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)


def test_the_file_is_what_the_compose_specification_asks_for() -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the linter's wheel is installed on Linux alone")
@pytest.mark.parametrize("image", ["api", "worker"])
def test_a_dockerfile_has_nothing_that_its_linter_knows_better(image: str) -> None:
    command = [BIN / "hadolint", ROOT / f"docker/{image}.Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("image", ["api", "worker"])
def test_an_image_is_built_in_stages_and_runs_as_nobody_important(image: str) -> None:
    stages = (ROOT / f"docker/{image}.Dockerfile").read_text().split("\nFROM ")[1:]

    assert len(stages) > 1
    assert "pip install" not in stages[-1]
    assert "USER 65534:65534" in stages[-1]


@pytest.mark.parametrize("image", ["api", "worker"])
def test_a_process_of_an_image_compiles_nothing_when_it_starts(image: str) -> None:
    text = (ROOT / f"docker/{image}.Dockerfile").read_text()
    last = text[text.rindex("\nFROM ") :]

    assert "--compile-bytecode" in text
    assert last.rindex("\nCOPY ") < last.index("python -m compileall -q .") < last.index("\nUSER ")


@pytest.mark.parametrize("image", ["api", "worker"])
def test_an_image_copies_only_what_is_there_and_sent(image: str) -> None:
    lines = (ROOT / f"docker/{image}.Dockerfile").read_text().splitlines()
    copied = {
        source for line in lines if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]
    }
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied
    assert all((ROOT / source).exists() for source in copied)
    assert {source.split("/")[0] for source in copied} <= sent


def test_the_api_image_has_no_extras_in_it() -> None:
    assert "--extra" not in (ROOT / "docker/api.Dockerfile").read_text()
