"""Headers that nobody vouches for: what is read, and what is refused before a byte is kept."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from store.errors import StoreError
from store.safetensors_header import MAX_HEADER, MAX_TENSORS, BadModelFile, NotSafetensors, length, parse

TENSORS: dict[str, np.ndarray[Any, Any]] = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.ones((), dtype=np.float16),
}
GOOD: dict[str, Any] = {
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "F16", "shape": [], "data_offsets": [8, 10]},
}


def head(entries: Any) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


def test_what_the_library_writes_is_read_name_by_name() -> None:
    content = save(TENSORS, metadata={"detector": "shuffledet-1x"})
    header = parse(content)
    assert {name: (info.dtype, info.shape) for name, info in header.tensors.items()} == {
        "a.weight": ("F32", (2, 3)),
        "b": ("F16", ()),
    }
    assert (header.metadata, header.size) == ({"detector": "shuffledet-1x"}, len(content))


def test_other_metadata_leave_the_tensors_as_they_are() -> None:
    content = save(TENSORS)
    header = parse(content)
    changed = header.with_metadata({"detector": "x"}) + content[header.length :]
    assert parse(changed).metadata == {"detector": "x"}
    assert {name: tensor.tolist() for name, tensor in load(changed).items()} == {
        name: tensor.tolist() for name, tensor in TENSORS.items()
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps({"a": [1.0] * 100}), "begins as a pickle"),
        (b"PK\x03\x04" + bytes(60), "begins as a zip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5"),
        ((MAX_HEADER + 1).to_bytes(8, "little") + b"{}", f"header would be of {MAX_HEADER + 1} bytes"),
        (b"\xff" * 64, "header would be of 18446744073709551615 bytes"),
        (head(b"[1, 2]"), "does not begin with '{'"),
    ],
)
def test_what_is_something_else_is_told_by_its_first_bytes(content: bytes, told: str) -> None:
    with pytest.raises(NotSafetensors, match="no safetensors file") as caught:
        length(content)
    assert told in caught.value.message
    assert caught.value.hint


def test_a_file_that_ends_in_its_header_is_refused() -> None:
    content = head(GOOD)
    for end in (3, len(content) - 1):
        with pytest.raises(BadModelFile, match=f"ends after {end} bytes"):
            parse(content[:end])


def entry(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "a": {**GOOD["a"], **changes}}


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (entry(data_offsets=[-8, 0]), "impossible offsets"),
        (entry(data_offsets=[8, 0]), "impossible offsets"),
        (entry(data_offsets=[0, 2**63]), "impossible offsets"),
        (entry(data_offsets=[0, 8.0]), "impossible offsets"),
        (entry(data_offsets=[0]), "impossible offsets"),
        (entry(shape=[-2]), "impossible shape"),
        (entry(shape=[True, 2]), "impossible shape"),
        (entry(shape=[1] * 9), "impossible shape"),
        (entry(shape=[2**40, 2**40]), "takes"),
        (entry(shape=[3]), "has 8 bytes, but F32 of shape [3] takes 12"),
        (entry(dtype="PICKLE"), "dtype PICKLE"),
        (entry(more=1), "nothing else"),
        ({"a": GOOD["a"], "b": {**GOOD["b"], "data_offsets": [6, 8]}}, "overlap, or leave a gap"),
        ({"a": GOOD["a"], "b": {**GOOD["b"], "data_offsets": [9, 11]}}, "overlap, or leave a gap"),
        ({"b": GOOD["b"]}, "does not begin where the header ends"),
        ({"": GOOD["a"]}, "no usable name"),
        ({"x" * 513: GOOD["a"]}, "no usable name"),
        ({"a\nb": GOOD["a"]}, "no usable name"),
        ({}, "holds no tensor"),
        ({**GOOD, "__metadata__": {"a": 1}}, "texts alone"),
        ({str(i): GOOD["a"] for i in range(MAX_TENSORS + 1)}, f"at most {MAX_TENSORS}"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "cannot be read"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b'{"\xff": 1}', "cannot be read"),
    ],
)
def test_a_header_that_no_file_can_have_is_refused_with_what_is_wrong(entries: Any, told: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse(head(entries))
    assert isinstance(caught.value, BadModelFile)
    assert told in caught.value.message
