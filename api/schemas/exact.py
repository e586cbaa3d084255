"""Numbers and moments of a request, taken for what they are: by default `true` passes as 1 and 0 as the year 1970."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic's way to refuse
    return value


def _date_first(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-", value):
        raise ValueError("must be a text such as 2027-03-01T12:00:00Z")
    return value


def _of_our_time(value: datetime) -> datetime:
    # Far from both ends of what Python and PostgreSQL count: times are added to it, and it is shown by UTC.
    if not 1000 <= value.year < 9000:
        raise ValueError("must be of a year from 1000 to 8999")
    return value


Whole = Annotated[int, BeforeValidator(_no_truth)]
Number = Annotated[float, BeforeValidator(_no_truth)]
Moment = Annotated[AwareDatetime, BeforeValidator(_date_first), AfterValidator(_of_our_time)]
"""ISO 8601 with its zone."""
