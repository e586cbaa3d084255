"""API keys as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.exact import Moment, Number
from store.principal import Scope
from store.tables import ApiKey


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    scopes: tuple[Scope, ...] = Field(("read",), min_length=1)
    expires_at: Moment | None = Field(None, description="Default: never.")


class RotationIn(BaseModel):
    """How a key gives way to its successor."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Number = Field(24, ge=0, le=24 * 90, description="So long the old key works beside the new one.")


class KeyOut(BaseModel):
    """A key, of which only the first characters are kept readable."""

    id: str
    name: str
    hint: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> "KeyOut":
        """From its row."""
        return cls.model_validate(row, from_attributes=True)


class NewKeyOut(KeyOut):
    """A key just made: the only time its token is shown."""

    token: str


class KeysOut(BaseModel):
    """The project's keys."""

    data: list[KeyOut]
