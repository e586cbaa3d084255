"""Folders that another version of this program wrote: said in a line, where reading them fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from fgfi_core.errors import BadData


@contextmanager
def written_by_this_version(what: Path) -> Iterator[None]:
    """Around the reading of a whole file of a run: what it lacks, has too much of or has in another shape.

    Raises BadData for whatever does not fit.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        said = str(error).strip().splitlines() or [""]
        raise BadData(
            f"{what} was written by another version of this program, and this one cannot go on from it "
            f"({type(error).__name__}: {said[0][:200]}).",
            hint="Go on with the version that began the run, or begin anew in another --out folder.",
        ) from error
