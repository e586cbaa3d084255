"""Opaque ids with a prefix that says what they name, such as `job_4fJ0cQ8yTn2mVbKxWz71Ls`."""

import secrets
import string
from typing import Literal

Kind = Literal["prj", "key", "ses", "aud", "ds", "exp", "up", "mdl", "job", "grp", "art", "whk", "msg"]

ALPHABET = string.digits + string.ascii_letters
LENGTH = 22  # 62 ** 22 is more than 2 ** 128: two random ids never meet.


def new(kind: Kind) -> str:
    """Make a fresh random id of this kind."""
    return f"{kind}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"


def kind_of(identity: str) -> str:
    """What an id names, by its prefix."""
    return identity.partition("_")[0]
