"""`fgfi evaluate`: measure a registered model on a data set."""

from typing import Annotated, Any, Literal

import typer

from client.commands import datasets
from client.commands.submit import Priority, follow_to_end, raise_unless_succeeded
from client.models import Job
from client.output import JsonOption, console, percent, print_json, print_table
from client.sdk import Fgfi


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A registered model's id, such as mdl_4fJ0....")],
    dataset: Annotated[str, typer.Option(help="Id or name of a ready data set.")],
    split: Annotated[str, typer.Option(help="Split that measures.")] = "test",
    rule: Annotated[
        list[str] | None, typer.Option(help="Rule to measure by: voc07, voc, coco or kitti; may be given again.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Default: the model and the data set.")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto, cpu or cuda.")] = "auto",
    priority: Annotated[
        Priority, typer.Option(help="Before or after the other jobs that wait: low, normal or high.")
    ] = "normal",
    follow: Annotated[bool, typer.Option("--follow", help="Stay until its end and print what was measured.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Queue a job that trains nothing: one model, measured on one split. Its classes must hold all of the data's."""
    with Fgfi.connect() as service:
        found = datasets.find(service, dataset)
        spec: dict[str, Any] = {
            "name": name or f"{model} on {found.name}"[:200],
            "model": model,
            "dataset": {"id": found.id, "split": split},
            "resources": {"device": device},
        }
        if rule:
            spec["evaluation"] = list(rule)
        job = service.evaluate(spec, priority)
        if not as_json:
            console.print(f"{job.id} is {job.state}", markup=False)
        if follow:
            job = follow_to_end(service, job, quiet=as_json)
    if as_json:
        print_json(job.model_dump(mode="json"))
    elif follow and job.result:
        print_measured(job)
    if job.over:
        raise_unless_succeeded(job)


def print_measured(job: Job) -> None:
    """What was measured, for people: mAP and each class's AP at IoU 0.5 in percent."""
    result = job.result or {}
    rows = [("all classes", percent(result["map50"]))]
    rows += [(label, percent(value)) for label, value in result["ap50"].items()]
    print_table((f"{result['images']} images of {result['split']}", "AP50"), rows)
    if result.get("coco"):
        console.print(f"COCO's AP: {percent(result['coco']['ap'])}", markup=False)
