"""The bundle as data, and as a zip file of readable parts. Imports no torch and no numpy."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgfi_core.atomic import replacing
from fgfi_core.errors import BadData
from fgfi_core.results import JobResult, Role
from fgfi_core.spec import JobSpec

NAME = "bundle.zip"
VERSION = 1
# A bundle is text; more than this is no bundle, whoever made it.
MAX_BYTES = 256 * 2**20
# Zip files know no time before this one; with it, equal content is equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16

Side = Literal["teacher", "student"]

README = """\
{name}: what it takes to run this job again.

  fgfi rerun bundle.zip --data FOLDER --out FOLDER

checks that FOLDER holds the same images and annotations, trains as `resolved.json` says, and compares mAP.

about.json        version of this layout, and the job's name
code.json         the program: version, and its commit where it ran from a repository
requirements.txt  every package that was installed
spec.json         the spec as it was asked for
resolved.json     the spec as it was run: no field is left to choose
data.json         hash of each image and annotation that was used, and one of them all
data.sha256       the same for `sha256sum --check`, from within the data set's folder
weights.json      hashes of weights to begin with, and of what was trained
environment.json  Python, system, processor, threads, torch
result.json       what came out
notes.json        what was said about data, pre-flight and exports

Neither data nor weights are in it.
"""


class Part(BaseModel):
    """Fields of a part; what a later version adds is no error for an earlier one."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class About(Part):
    """version: of the bundle's layout."""

    version: int = VERSION
    name: str


class Code(Part):
    """The program. commit: None where it did not run from a repository; changed: whether files differed from it."""

    package: str
    version: str
    commit: str | None = None
    changed: bool | None = None


class Environment(Part):
    """Where it ran. threads: of the CPU side. torch: its versions and build, in its own words."""

    python: str
    platform: str
    machine: str
    processor: str
    device: str
    threads: int
    torch: dict[str, str]


class DataFile(Part):
    """path: relative to the data set's folder, with forward slashes. sha256: of the file."""

    path: str
    sha256: str


class Data(Part):
    """The images and annotations of the splits that were read. order: hash of each split's image ids as listed.

    sha256: of format, classes, order and files together. licences: names of files beside the data that say whose it is.
    """

    format: str
    classes: tuple[str, ...]
    splits: dict[str, int]
    order: dict[str, str]
    files: tuple[DataFile, ...]
    sha256: str
    licences: tuple[str, ...] = ()


class First(Part):
    """Weights that a side began with. source: `imagenet` or `file`. sha256: of the file, or of ImageNet's tensors."""

    source: Literal["imagenet", "file"]
    name: str
    sha256: str
    licence: str = ""


class Trained(Part):
    """Weights that a training ended with. sha256: of its tensors, see `fgfi_core.bundle.tensors`."""

    role: Role
    seed: int
    sha256: str


class Weights(Part):
    """Hashes of weights."""

    first: dict[Side, First]
    trained: tuple[Trained, ...]


class Bundle(Part):
    """A finished job. spec: as asked. resolved: `ResolvedSpec` as JSON. packages: version of each one installed."""

    about: About
    code: Code
    packages: dict[str, str]
    spec: JobSpec
    resolved: dict[str, Any]
    data: Data
    weights: Weights
    environment: Environment
    result: JobResult
    notes: tuple[str, ...] = Field(default=())


def write(bundle: Bundle, path: Path) -> None:
    """Write the zip file: the same bundle gives the same bytes."""
    content = bundle.model_dump(mode="json")
    packages = content.pop("packages")
    files = {"README.txt": README.format(name=bundle.about.name)}
    files |= {f"{part}.json": json.dumps(value, indent=1, ensure_ascii=False) + "\n" for part, value in content.items()}
    files["requirements.txt"] = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    files["data.sha256"] = "".join(f"{file.sha256}  {file.path}\n" for file in bundle.data.files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _MODE
            archive.writestr(info, text)
    with replacing(path) as draft:
        draft.write_bytes(out.getvalue())


def read(path: Path) -> Bundle:
    """Read a bundle. Raises BadData for a file that is not there, is no bundle, or one of a later layout."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _parse(archive)
    except OSError as error:
        raise BadData(f"{path}: {error.strerror or error}.", hint="Give the bundle.zip of a finished job.") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        reason = f"{error.error_count()} of its fields are wrong" if isinstance(error, ValidationError) else str(error)
        raise BadData(f"{path} is no bundle: {reason}.", hint="Give the bundle.zip of a finished job.") from error


def _parse(archive: zipfile.ZipFile) -> Bundle:
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise ValueError(f"it holds more than {MAX_BYTES // 2**20} MiB")
    content: dict[str, Any] = {
        part: json.loads(archive.read(f"{part}.json")) for part in Bundle.model_fields if part != "packages"
    }
    version = content["about"].get("version")
    if version != VERSION:
        raise ValueError(f"its layout is version {version}, and this program reads version {VERSION}")
    lines = archive.read("requirements.txt").decode().split()
    content["packages"] = dict(line.split("==", 1) for line in lines)
    return Bundle.model_validate(content)
