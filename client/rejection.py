"""Why the service rejected a data set, as an error."""

from client.errors import EXIT_JOB_FAILED, ClientError
from client.models import Dataset


def rejected(dataset: Dataset) -> ClientError:
    """The error, with the first problems of its report as hints."""
    trouble = dataset.error
    message = trouble.message if trouble and trouble.message else "the service did not accept it"
    hints = [trouble.hint] if trouble and trouble.hint else []
    for problem in (dataset.report or {}).get("problems") or []:
        place = ":".join(str(problem[part]) for part in ("file", "line") if problem.get(part) is not None)
        hints.append(f"{place}: {problem.get('message', '')}")
    return ClientError(
        f"data set '{dataset.name}' was rejected: {message}",
        hints=tuple(hints[:20]),
        exit_code=EXIT_JOB_FAILED,
        code=trouble.code if trouble else "",
    )
