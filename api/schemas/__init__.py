"""What the API answers, as pydantic models: rows of the store never leave it as they are."""
