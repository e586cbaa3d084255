"""Numbers and moments of a request, taken for what they are: by default `true` passes as 1 and 0 as the year 1970."""

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic's way to refuse
    return value


def _date_first(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-", value):
        raise ValueError("must be a text such as 2027-03-01T12:00:00Z")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth)]
Number = Annotated[float, BeforeValidator(_no_truth)]
Moment = Annotated[AwareDatetime, BeforeValidator(_date_first)]
"""ISO 8601 with its zone."""
