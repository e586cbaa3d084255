"""Uploads in parts as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.exact import Whole
from store.objects import Part
from store.tables import Upload

MediaType = Literal["application/zip", "application/x-tar", "application/gzip", "application/zstd"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UploadIn(BaseModel):
    """What will be sent. With `sha256` the same upload is found again, and content that is there is not sent twice."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="What people will call the data set."
    )
    size: Whole = Field(ge=1, le=2**53, description="Bytes of the whole archive.")
    media_type: MediaType
    sha256: Sha256 | None = Field(None, description="Of the whole archive, in lower-case hex.")


class PartOut(BaseModel):
    """A part that is whole in the store."""

    number: int
    size: int
    checksum: str

    @classmethod
    def of(cls, part: Part) -> "PartOut":
        """From the store's."""
        return cls(number=part.number, size=part.size, checksum=part.checksum)


class UploadOut(BaseModel):
    """An upload. Send parts 1 to `parts`, each of `part_size` bytes but the last, then complete it.

    direct: parts may go straight to the object store, by the links of `/links`. checksum: the kind of the checksums in
    `received`, the parts that are there. dataset_id: once it is completed; deduplicated: that was there before.
    """

    id: str
    name: str
    state: Literal["open", "joining", "completed", "aborted", "expired"]
    media_type: str
    size: int
    sha256: str | None
    part_size: int
    parts: int
    direct: bool
    checksum: str
    received: list[PartOut]
    dataset_id: str | None
    deduplicated: bool
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: Upload, received: Sequence[Part], *, checksum: str, direct: bool) -> "UploadOut":
        """From its row and its parts."""
        return cls(
            id=row.id,
            name=row.name,
            state=row.state,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            part_size=row.part_size,
            parts=row.parts,
            direct=direct,
            checksum=checksum,
            received=[PartOut.of(part) for part in received],
            dataset_id=row.dataset_id,
            deduplicated=row.deduplicated,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class LinkOut(BaseModel):
    """Where a part of exactly `size` bytes goes by PUT, without a key. Whoever has the link can send the part."""

    number: int
    size: int
    url: str


class LinksOut(BaseModel):
    """Links of some parts, by number. `next` is the first number of the next page, null at the end."""

    data: list[LinkOut]
    expires_at: datetime
    next: int | None
