"""The rooms that must work where torch is not installed: the API's container, and anybody's laptop."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# In a process of its own: here torch may be loaded already.
PROGRAM = """
import importlib, pkgutil, sys

for name in sys.argv[2].split(","):
    sys.modules[name] = None  # `import` of it raises ImportError

package = importlib.import_module(sys.argv[1])
names = [package.__name__]
names += [found.name for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def imported(package: str, *poisoned: str) -> int:
    """How many modules of the package were imported in a process where the poisoned ones cannot be."""
    command = [sys.executable, "-c", PROGRAM, package, ",".join(poisoned)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("package", ["api", "store", "client"])
def test_every_module_imports_where_torch_cannot_be_imported(package: str) -> None:
    assert imported(package, "torch", "torchvision") > 1


@pytest.mark.parametrize("module", ["worker.steward", "worker.app", "worker.alive", "embedded.access", "store.migrate"])
def test_what_runs_in_the_small_image_imports_where_training_is_not_installed(module: str) -> None:
    names = ("torch", "torchvision", "onnx", "onnxruntime", "matplotlib", "safetensors", "scipy", "hotcoco", "pynvml")
    program = f"import sys; sys.modules.update(dict.fromkeys({names})); import {module}"

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_specs_import_without_torch_and_numpy() -> None:
    assert imported("fgfi_core.spec", "torch", "torchvision", "numpy") > 1


def test_a_module_that_needs_torch_is_caught() -> None:
    with pytest.raises(AssertionError, match="torch"):
        imported("fgfi_core.training", "torch")


def test_the_command_line_starts_without_the_server_side(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "client", "--help"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "client.main" in loaded
    assert not loaded & {"torch", "numpy", "sqlalchemy", "celery", "fastapi"}


def test_the_api_starts_without_what_few_requests_need(tmp_path: Path) -> None:
    program = "import sys, api.main; api.main.create_app(); print(*sorted(sys.modules))"
    environment = {
        "FGFI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "FGFI_REDIS_URL": "redis://127.0.0.1:1/0",
        "FGFI_STORAGE_URL": tmp_path.as_uri(),
        "FGFI_SECRET_KEY": "a-start-that-is-looked-at-needs-a-secret",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())

    assert "api.routes.jobs" in loaded
    assert not loaded & {"torch", "numpy", "PIL", "celery", "redis", "authlib", "httpx", "alembic", "cryptography"}
