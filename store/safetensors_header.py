"""The header of a safetensors file, read without torch from bytes that nobody vouches for.

The file is eight bytes with the header's length (little-endian), the header (JSON: names to dtype, shape and offsets,
and `__metadata__` of texts), then the tensors without gaps. See the format's page in the safetensors project.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from store.errors import StoreError

PREFIX = 8
MAX_HEADER = 8 * 2**20
MAX_TENSORS = 10_000
MAX_NAME = 512
MAX_AXES = 8
METADATA = "__metadata__"
# Bytes of one value.
DTYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
HINT = "Send weights as safetensors.torch.save_file writes them; nothing else is taken, as only they hold no code."


class NotSafetensors(StoreError):
    """The first bytes are those of something else."""

    code = "not_safetensors"


class BadModelFile(StoreError):
    """A header that a safetensors file cannot have."""

    code = "bad_model_file"


@dataclass(frozen=True)
class TensorInfo:
    """A tensor's place in the file: bytes from `start` to before `end`, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says of itself. `length`: where its tensors begin; `size`: how long the whole file must be."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    length: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.length + max((info.end for info in self.tensors.values()), default=0)

    def with_metadata(self, metadata: Mapping[str, str]) -> bytes:
        """The beginning of the same file with other metadata; the tensors' bytes follow as they are."""
        entries: dict[str, Any] = {METADATA: dict(metadata)}
        for name, info in self.tensors.items():
            entries[name] = {"dtype": info.dtype, "shape": info.shape, "data_offsets": (info.start, info.end)}
        text = json.dumps(entries).encode()
        text += b" " * (-len(text) % PREFIX)
        return len(text).to_bytes(PREFIX, "little") + text


def length(head: bytes) -> int:
    """Where the tensors begin, by the file's first bytes. Raises NotSafetensors, BadModelFile."""
    if len(head) < PREFIX:
        raise BadModelFile(f"the file ends after {len(head)} bytes", hint="Send the whole file.")
    count = int.from_bytes(head[:PREFIX], "little")
    if count > MAX_HEADER:
        found = _foreign(head) or f"its header would be of {count} bytes, and at most {MAX_HEADER} are read"
        raise NotSafetensors(f"the upload is no safetensors file: {found}", hint=HINT)
    if len(head) > PREFIX and not head[PREFIX:].startswith(b"{"):
        raise NotSafetensors("the upload is no safetensors file: its header does not begin with '{'", hint=HINT)
    return PREFIX + count


def parse(head: bytes) -> Header:
    """Read the beginning of a file, header and all. Raises NotSafetensors, BadModelFile naming the tensor."""
    end = length(head)
    if len(head) < end:
        raise BadModelFile(f"the file ends after {len(head)} bytes, in its header of {end}", hint="Send all of it.")
    try:
        entries = json.loads(head[PREFIX:end].decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _bad(f"its header cannot be read: {reason}") from error
    if not isinstance(entries, dict):
        raise _bad("its header is no JSON object")
    metadata = entries.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _bad(f"'{METADATA}' must hold texts alone")
    if not entries:
        raise _bad("it holds no tensor")
    if len(entries) > MAX_TENSORS:
        raise _bad(f"it holds {len(entries)} tensors; at most {MAX_TENSORS} are taken")
    tensors = {name: _tensor(name, entry) for name, entry in entries.items()}
    _check_places(tensors)
    return Header(tensors, metadata, end)


def _tensor(name: str, entry: Any) -> TensorInfo:
    shown = f"tensor '{name[:80]}'"
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise _bad(f"{shown} has no usable name")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _bad(f"{shown} must have dtype, shape and data_offsets, and nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise _bad(f"{shown} is of dtype {str(dtype)[:20]}; taken are {', '.join(DTYPES)}")
    if not _counts(shape) or len(shape) > MAX_AXES:
        raise _bad(f"{shown} has an impossible shape")
    if not _counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _bad(f"{shown} has impossible offsets")
    start, end = offsets
    needed = prod(shape) * DTYPES[dtype]
    if end - start != needed:
        raise _bad(f"{shown} has {end - start} bytes, but {dtype} of shape {list(shape)} takes {needed}")
    return TensorInfo(dtype, tuple(shape), start, end)


def _check_places(tensors: Mapping[str, TensorInfo]) -> None:
    """One after the other from 0, without gaps or overlaps: no bytes that no tensor owns, none that two do."""
    placed = sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end))
    if placed[0][1].start != 0:
        raise _bad("its first tensor does not begin where the header ends")
    for (one, before), (other, after) in pairwise(placed):
        if before.end != after.start:
            raise _bad(f"tensors '{one[:80]}' and '{other[:80]}' overlap, or leave a gap")


def _counts(value: Any) -> bool:
    """Whether it is a list of whole numbers from 0 that a file's size may be."""
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**48 for one in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in it")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _foreign(head: bytes) -> str:
    """What else it is, in words; empty where that cannot be told."""
    if head.startswith(b"PK"):
        return "it begins as a zip does, and as files of torch.save do"
    if head.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return "it begins as a pickle does"
    return "it begins as an HDF5 file does" if head.startswith(b"\x89HDF") else ""


def _bad(reason: str) -> BadModelFile:
    return BadModelFile(f"the file is no safetensors file that can be used: {reason}", hint=HINT)
