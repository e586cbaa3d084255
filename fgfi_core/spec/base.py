"""What all parts of a spec share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Side = Annotated[int, Field(ge=32, le=4096)]


class Model(BaseModel):
    """Unknown fields are errors: a misspelt field must never be silently a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
