"""Validated settings from the environment (`FGFI_...`), shared by API, worker and steward."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from platformdirs import user_cache_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from store.principal import SCOPES, Scope
from store.queues import ANY, BUILT_IN

MIB = 2**20
GIB = 2**30
WELL_KNOWN_SECRETS = ("change", "secret", "example", "default", "password")


class SettingsError(Exception):
    """The environment lacks a setting, or has one that cannot be used."""


@dataclass(frozen=True)
class GroupAccess:
    """What a group of the login provider may do in which project."""

    group: str
    project: str
    scope: Scope

    @classmethod
    def parse(cls, text: str) -> "GroupAccess":
        """From `group=project:scope`."""
        group, _, rest = text.rpartition("=")
        project, _, scope = rest.rpartition(":")
        known = {name: name for name in SCOPES}
        if not group or not project or scope not in known:
            raise ValueError(f"'{text}' is not group=project:scope, with a scope of {', '.join(SCOPES)}")
        return cls(group, project, known[scope])


class Settings(BaseSettings):
    """Everything that differs between installations. A missing or unsafe value stops the process at its start."""

    model_config = SettingsConfigDict(env_prefix="FGFI_", frozen=True, extra="ignore")

    database_url: str = Field(description="postgresql://user:password@host/name, or with ?host=/socket/folder")
    redis_url: str = Field(description="redis://host:6379/0 or redis+socket:///path/to/socket")
    storage_url: str = Field(description="file:///folder or s3://bucket/prefix")
    secret_key: SecretStr = Field(description="Signs sessions and hashes API keys; at least 32 random characters.")

    environment: Literal["production", "development"] = "production"
    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ("localhost", "127.0.0.1", "[::1]")

    max_upload_bytes: int = Field(20 * GIB, ge=1)
    max_model_bytes: int = Field(4 * GIB, ge=1, description="Largest file of a model's weights.")
    max_request_bytes: int = Field(2 * MIB, ge=1, description="Largest body of a request that is no upload.")
    upload_expiry_hours: float = Field(24, gt=0)
    export_hours: float = Field(72, gt=0, description="How long a data set in another format is kept for download.")
    upload_part_bytes: int = Field(16 * MIB, ge=5 * MIB, le=GIB, description="Of an upload in parts; S3 takes no less.")
    upload_links: bool = Field(True, description="With S3, send clients to it; false where they cannot reach it.")
    project_bytes: int | None = Field(None, ge=1, description="Of data sets, models and uploads of a project.")
    project_jobs: int | None = Field(None, ge=0, description="Jobs of a project that are not over.")
    project_device_hours: float | None = Field(None, ge=0, description="Of a project in a calendar month.")
    idempotency_hours: float = Field(24, gt=0)
    login_link_minutes: float = Field(15, gt=0)
    rate_reads: int = Field(3000, ge=0, description="Reading requests a minute of a key or a browser; 0: no limit.")
    rate_writes: int = Field(1200, ge=0, description="Others, parts of uploads among them.")
    rate_strangers: int = Field(60, ge=0, description="Requests a minute of an address with a wrong key or login.")
    session_hours: float = Field(14 * 24, gt=0, description="Until a browser must log in anew.")
    audit_days: float = Field(365, gt=0, description="How long it is kept who did what.")
    called_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Private networks that webhooks may reach, by commas, such as 10.1.0.0/16."
    )

    oidc_issuer: str | None = Field(None, description="https://... of an OpenID Connect provider; none: links alone.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = Field(None, description="None: a public client, which PKCE protects.")
    oidc_name: str = Field("single sign-on", description="What the button calls the provider.")
    oidc_scopes: str = "openid email profile"
    oidc_groups_claim: str = "groups"
    oidc_access: Annotated[tuple[GroupAccess, ...], NoDecode] = Field(
        (), description="Who may come in, by commas: group=project:scope; * is everybody. The first that fits decides."
    )

    lease_seconds: float = Field(75, gt=0)
    heartbeat_seconds: float = Field(15, gt=0)
    stop_grace_seconds: float = Field(25, gt=0, description="From asking the child to stop until it is killed.")
    cancel_grace_seconds: float = Field(5, gt=0)
    loss_budget: int = Field(5, ge=0, description="Infrastructure losses a job survives.")
    poison_losses: int = Field(3, ge=1, description="Losses in a row without a newer checkpoint that fail a job.")
    backoff_seconds: float = Field(10, ge=0)
    backoff_limit_seconds: float = Field(360, ge=0)
    hung_seconds: float = Field(600, gt=0, description="Silence of a run that is always fine.")
    hung_steps: float = Field(20, gt=0, description="And so many median steps: the longer of the two is its end.")
    memory_retries: int = Field(1, ge=0, description="Attempts with half the micro-batch after memory ran out.")
    republish_seconds: float = Field(60, gt=0, description="A queued job unclaimed for so long is announced again.")
    steward_seconds: float = Field(1, gt=0, description="Pause between two rounds of the steward.")
    orphan_hours: float = Field(24, gt=0, description="An object without a row is collected after so long.")

    alive_file: Path | None = Field(
        None, description="Steward and worker touch it while they live; `python -m worker.alive` looks at its age."
    )

    device_classes: Annotated[tuple[str, ...], NoDecode] = Field((), description="Of workers, besides cpu and gpu.")
    auto_class: str = Field(
        "any", description="Which workers take jobs with device auto: any, cpu, gpu or a named class."
    )
    worker_classes: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="What this worker is good for; default: gpu and cpu where there is a GPU, else cpu."
    )
    worker_cache: Path = Field(default_factory=lambda: user_cache_path("fgfi") / "worker")
    worker_cache_bytes: int = Field(50 * GIB, ge=1)
    worker_memory_bytes: int | None = Field(
        None, ge=GIB, description="Memory a training may take with all its processes; then it fails as out of memory."
    )
    worker_spare: bool | None = Field(
        None, description="Keep a runner waiting with torch loaded; default: where there is a GPU. Takes some memory."
    )
    worker_threads: int | None = Field(None, ge=1, description="OMP_NUM_THREADS of the training child.")

    @field_validator("allowed_hosts", "device_classes", "worker_classes", "called_networks", mode="before")
    @classmethod
    def _split_by_comma(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("oidc_issuer", "oidc_client_secret", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None  # As Compose passes on what is not set.

    @field_validator("oidc_access", mode="before")
    @classmethod
    def _access_of_groups(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(GroupAccess.parse(part.strip()) for part in value.split(",") if part.strip())

    @model_validator(mode="after")
    def _provider_is_usable(self) -> "Settings":
        if self.oidc_issuer is None:
            return self
        where = urlsplit(self.oidc_issuer)
        if where.scheme != "https" and where.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("FGFI_OIDC_ISSUER must begin with https://")
        if not self.oidc_client_id or not self.oidc_access:
            raise ValueError("FGFI_OIDC_ISSUER needs FGFI_OIDC_CLIENT_ID and FGFI_OIDC_ACCESS (group=project:scope)")
        return self

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        for scheme in ("postgresql://", "postgres://"):
            if value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        if not value.startswith("postgresql+psycopg://"):
            raise ValueError("must begin with postgresql://: PostgreSQL is the only database")
        return value

    @field_validator("secret_key")
    @classmethod
    def _strong_secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if len(text) < 32:
            raise ValueError("has fewer than 32 characters; make one with: openssl rand -hex 32")
        if any(text.lower().startswith(word) for word in WELL_KNOWN_SECRETS) or len(set(text)) < 8:
            raise ValueError("is a placeholder; make one with: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _classes_are_known(self) -> "Settings":
        for name in self.device_classes:
            if not (name.isascii() and name.isidentifier()) or name == ANY:
                raise ValueError(f"FGFI_DEVICE_CLASSES: '{name}' is no name of letters, digits and underscores")
        known = {ANY, *BUILT_IN, *self.device_classes}
        for variable, names in (("AUTO_CLASS", {self.auto_class}), ("WORKER_CLASSES", set(self.worker_classes))):
            if names - known:
                raise ValueError(
                    f"FGFI_{variable} names {', '.join(sorted(names - known))}; known: {', '.join(sorted(known))}"
                )
        return self

    @model_validator(mode="after")
    def _lease_outlives_heartbeats(self) -> "Settings":
        if self.lease_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("FGFI_LEASE_SECONDS must be at least three times FGFI_HEARTBEAT_SECONDS")
        return self

    @property
    def psycopg_url(self) -> str:
        """The database's address as psycopg and libpq spell it."""
        return self.database_url.replace("postgresql+psycopg://", "postgresql://", 1)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once. Raises SettingsError, whose text names each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"FGFI_{'_'.join(map(str, found['loc'])).upper()}: {found['msg']}" if found["loc"] else found["msg"]
            for found in error.errors()
        ]
        # The cause is left out on purpose: it repeats the values, and one of them is a secret.
        raise SettingsError("The settings in the environment are not usable.\n  " + "\n  ".join(lines)) from None
