"""Text within names of jobs, by the index of their trigrams (three letters in a row).

The index reads the list of every trigram that it is asked for, and a word that most names have costs it most and
narrows it least: of "run 377412" among a million names with "run" the number alone is found forty times as fast.
"""

import re

from sqlalchemy import ColumnElement, and_, literal, select
from sqlalchemy.orm import Session

from store.tables import Job

SAMPLE = 100
RARE = 2  # of so many names
_LETTERS = 3
_WORD = re.compile(rf"[^\W_]{{{_LETTERS},}}")


def named_like(session: Session, project_id: str, text: str) -> ColumnElement[bool]:
    """The condition that a job's name has this text in it, as it stands, whatever the case of its letters."""
    whole = Job.name.ilike(_containing(text))
    word = _rare_word(session, project_id, text)
    if word is None:
        return whole
    # The index knows the column, and no expression of it: by that it is not asked for the whole text.
    return and_(Job.name.ilike(_containing(word)), (Job.name + literal("")).ilike(_containing(text)))


def _rare_word(session: Session, project_id: str, text: str) -> str | None:
    """The longest word of several that hardly any of the newest names have; None where the whole is as good."""
    words = sorted(_WORD.findall(text.casefold()), key=len, reverse=True)
    if len(words) < 2:
        return None
    newest = select(Job.name).where(Job.project_id == project_id).order_by(Job.created_at.desc(), Job.id.desc())
    names = [name.casefold() for name in session.scalars(newest.limit(SAMPLE))]
    return next((word for word in words if sum(word in name for name in names) <= RARE), None)


def _containing(text: str) -> str:
    """A pattern for LIKE."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
