"""`fgfi submit-all`: queue several jobs in one request."""

from pathlib import Path
from typing import Annotated

import typer

from client import spec_file
from client.commands import datasets
from client.errors import EXIT_REFUSED, ClientError
from client.output import JsonOption, print_json, print_table
from client.sdk import Fgfi


def submit_all(
    specs: Annotated[list[Path], typer.Argument(metavar="JOB.YAML...", help="Job specs, YAML or JSON.")],
    dataset: Annotated[
        str | None, typer.Option(help="Id or name of a ready data set; takes the place of the specs' ids.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Queue several jobs, each made or refused by itself; exits with 3 when one was refused."""
    checked = [spec_file.read(path, dataset=dataset) for path in specs]
    with Fgfi.connect() as service:
        contents = [one.model_dump(mode="json") for one in checked]
        if dataset is not None:
            found = datasets.find(service, dataset).id
            for content in contents:
                content["dataset"]["id"] = found
        results = service.submit_all(contents)
    if as_json:
        print_json([one.model_dump(mode="json") for one in results])
    else:
        rows = [
            (path.name, one.job.id if one.job else "refused", one.job.state if one.job else _reason(one.problem))
            for path, one in zip(specs, results, strict=True)
        ]
        print_table(("spec", "job", "state"), rows)
    refused = sum(one.job is None for one in results)
    if refused:
        raise ClientError(f"{refused} of {len(results)} jobs were refused", exit_code=EXIT_REFUSED)


def _reason(problem: dict[str, object] | None) -> str:
    return str((problem or {}).get("detail", "no reason was given"))
