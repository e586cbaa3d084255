"""The pages that the code writes: `python -m api.describe openapi|errors`. `make docs` keeps them in docs/."""

import json
import sys

from pydantic import SecretStr

from api.error_codes import ADDRESS, CODES
from api.failure_codes import FAILURES
from api.main import create_app
from store.settings import Settings

ERRORS = f"""# Errors

Every error of the API is `application/problem+json` (RFC 9457): `status`, a stable `code`, `detail` in words, mostly a
`hint`, for wrong fields `errors` with the path, the message and the hint of each, and the `request_id` under which the
log has it. `type` leads to the code's entry below, which the service itself has at `{ADDRESS}CODE`.
Written by the code (`make docs`).

| code | status | cause | cure |
|---|---|---|---|
"""
FAILED = """
## Of jobs, data sets and models

What no request could know stands in the `error` of a job that failed, or of a data set or model that was rejected:
`code`, `message`, `hint`.

| code | cause | cure |
|---|---|---|
"""


def openapi() -> str:
    """docs/openapi.json: keys in order, so that additions from two sides meet without a conflict."""
    nowhere = Settings(
        database_url="postgresql:///nowhere",
        redis_url="redis://localhost:1/0",
        storage_url="file:///nonexistent",
        secret_key=SecretStr("describing-needs-no-secret-of-anybody"),
    )
    return json.dumps(create_app(nowhere).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def errors() -> str:
    """docs/errors.md."""
    rows = [f"| `{code}` | {one.status} | {one.cause} | {one.cure} |\n" for code, one in CODES.items()]
    failed = [f"| `{code}` | {cause} | {cure} |\n" for code, (cause, cure) in FAILURES.items()]
    return ERRORS + "".join(rows) + FAILED + "".join(failed)


if __name__ == "__main__":
    sys.stdout.write({"openapi": openapi, "errors": errors}[sys.argv[1]]())
