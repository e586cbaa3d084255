"""Object storage: datasets' archives, checkpoints and artifacts by key. A folder or S3, chosen by the settings.

objects = open_store(settings.storage_url)
stored = objects.put("datasets/ds_1/archive", chunks, max_bytes=limit)   # chunks: any iterable of bytes
for chunk in objects.get(stored.key): ...
for chunk in objects.get(stored.key, start=100, end=200): ...            # bytes 100 to 199
"""

from urllib.parse import unquote, urlsplit

from store.objects.errors import StorageAway, StorageFull, StorageRefused
from store.objects.folder import FolderStore
from store.objects.parts import Part, Parts
from store.objects.protocol import ObjectInfo, ObjectStore, Stored, read_file
from store.objects.s3 import S3Store

__all__ = [
    "FolderStore",
    "ObjectInfo",
    "ObjectStore",
    "Part",
    "Parts",
    "S3Store",
    "StorageAway",
    "StorageFull",
    "StorageRefused",
    "Stored",
    "open_store",
    "read_file",
]


def open_store(url: str) -> ObjectStore:
    """Open `file:///folder` or `s3://bucket/prefix` (credentials and endpoint from the usual AWS_* variables)."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(unquote(parts.path))
    if parts.scheme == "s3":
        return S3Store(parts.netloc, parts.path.strip("/"))
    raise ValueError(f"storage must be file:///folder or s3://bucket/prefix, not '{parts.scheme}:...'")
