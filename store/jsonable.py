"""JSON that PostgreSQL's JSONB and every JSON reader accept."""

import json
import math
from typing import Any


def clean(value: Any) -> Any:
    """Copy a JSON-like value with NaN and infinity as None and without characters that PostgreSQL refuses.

    A detector that diverged or a file name in a broken encoding must be a recorded fact, not a failed write.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def clean_text(text: str) -> str:
    """The text without NUL characters and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def dumps(value: Any) -> str:
    """JSON text of a cleaned value."""
    return json.dumps(clean(value), allow_nan=False, ensure_ascii=False)
