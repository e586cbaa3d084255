"""The `fgfi` command: what it can do, and how its errors reach a person or a script."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from client.commands import (
    compare,
    datasets,
    demo,
    detectors,
    doctor,
    download,
    evaluate,
    export_metrics,
    groups,
    jobs,
    keys,
    methods,
    models,
    region,
    rerun,
    submit,
    submit_all,
    train,
    up,
)
from client.errors import EXIT_INTERRUPTED, ClientError
from client.output import error_console, print_error

app = typer.Typer(
    name="fgfi",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.add_typer(datasets.app, name="datasets")
app.add_typer(models.app, name="models")
app.command("submit")(submit.submit)
app.command("submit-all")(submit_all.submit_all)
app.add_typer(groups.app, name="groups")
app.command("evaluate")(evaluate.evaluate)
app.add_typer(keys.app, name="keys")
app.command("jobs")(jobs.jobs)
app.command("show")(jobs.show)
app.command("cancel")(jobs.cancel)
app.command("pause")(jobs.pause)
app.command("resume")(jobs.resume)
app.command("retry")(jobs.retry)
app.command("delete")(jobs.delete)
app.command("clone")(jobs.clone)
app.command("compare")(compare.compare)
app.command("export-metrics")(export_metrics.export_metrics)
app.command("download")(download.download)
app.command("train")(train.train)
app.command("rerun")(rerun.rerun)
app.command("region")(region.region)
app.command("detectors")(detectors.detectors)
app.command("methods")(methods.methods)
app.command("doctor")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(version("fgfi-service"))
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turn a heavy object detector into a light one by fine-grained feature imitation.

    The service is found by FGFI_URL and FGFI_API_KEY, else it is the one that `fgfi up` runs on this machine.
    Exit codes: 0 done, 1 failed, 2 wrong command line, file or spec, 3 refused by the service, 4 service unreachable,
    5 key missing or not allowed, 6 job failed or data set rejected, 7 job cancelled, 130 interrupted.
    """


def main() -> None:
    """Run the command; every expected failure is one message and an exit code."""
    try:
        app()
    except ClientError as error:
        print_error(error, as_json="--json" in sys.argv[1:])
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        error_console.print("interrupted")
        sys.exit(EXIT_INTERRUPTED)
