"""The application without a database: what answers before one is asked."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.exceptions import StarletteDeprecationWarning

from api.deps import get_principal
from api.main import create_app
from store.principal import Principal
from store.settings import Settings

with warnings.catch_warnings():
    # It would rather have another client library; httpx is the one the project has.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"postgresql:///nowhere?host={tmp_path}",
        redis_url="redis://localhost:1/0",
        storage_url=(tmp_path / "objects").as_uri(),
        secret_key="unit-tests-need-a-secret-of-some-length",
        max_request_bytes=10_000,
        max_upload_bytes=100_000,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    """An application whose every caller may do everything."""
    made = create_app(settings)
    made.dependency_overrides[get_principal] = lambda: Principal("prj_1", frozenset({"admin"}), "key_1")
    yield made
    made.state.service.engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
