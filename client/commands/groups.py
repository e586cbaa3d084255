"""`fgfi groups`: compare several variants of one job."""

from pathlib import Path
from typing import Annotated, Any

import typer

from client import spec_file, variants
from client.commands import datasets
from client.commands.submit import Priority
from client.errors import EXIT_USAGE, ClientError
from client.models import Arm, Group
from client.output import JsonOption, age, console, percent, print_json, print_table
from client.sdk import Fgfi

app = typer.Typer(help="Make, list, show, cancel and delete comparisons of several jobs.", no_args_is_help=True)

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="A group's id, such as grp_4fJ0....")]


@app.command("create")
def create(
    spec: Annotated[Path, typer.Argument(metavar="JOB.YAML", help="The spec that all arms share, YAML or JSON.")],
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=V,V", help="An arm for each value; given again, for each combination."),
    ] = None,
    variants_file: Annotated[
        Path | None, typer.Option("--variants", metavar="FILE", help="A list of {label, changes}, YAML or JSON.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Default: the spec's.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Id or name of a ready data set; takes the place of the spec's id.")
    ] = None,
    priority: Annotated[
        Priority, typer.Option(help="Before or after the other jobs that wait: low, normal or high.")
    ] = "normal",
    device_class: Annotated[
        str | None,
        typer.Option(help="Which workers may take it: any, cpu, gpu or a named class; default: by resources.device."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a job for each variant of a spec, with the same seeds; all of them or none."""
    arms = variants.grid(vary or ()) + (variants.read(variants_file) if variants_file else [])
    if not arms:
        hint = "name what varies: --vary method.threshold=0.3,0.5, or --variants FILE"
        raise ClientError("there is nothing to compare", hints=(hint,), exit_code=EXIT_USAGE)
    checked = spec_file.read(spec, dataset=dataset)
    with Fgfi.connect() as service:
        base: dict[str, Any] = checked.model_dump(mode="json")
        if dataset is not None:
            base["dataset"]["id"] = datasets.find(service, dataset).id
        group = service.groups.create(name or checked.name, base, arms, priority, device_class)
    _say(group, as_json=as_json)


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the groups, newest first."""
    with Fgfi.connect() as service:
        found = service.groups.list()
    if as_json:
        print_json([group.model_dump(mode="json") for group in found])
        return
    rows = [(one.id, one.name, one.arms, _states(one), age(one.created_at)) for one in found]
    print_table(("id", "name", "arms", "jobs", "age"), rows, shorten="name")


@app.command("show")
def show(group_id: GroupArgument, as_json: JsonOption = False) -> None:
    """Show how every arm stands: mAP50 in percent, the gain in points with its 95 % interval over seeds."""
    with Fgfi.connect() as service:
        group = service.groups.get(group_id)
    _say(group, as_json=as_json)


@app.command("cancel")
def cancel(group_id: GroupArgument, as_json: JsonOption = False) -> None:
    """Cancel every job of a group that is not over."""
    with Fgfi.connect() as service:
        group = service.groups.cancel(group_id)
    _say(group, as_json=as_json)


@app.command("delete")
def delete(group_id: GroupArgument, as_json: JsonOption = False) -> None:
    """Delete a group with its jobs and their files; refused while one may still run."""
    with Fgfi.connect() as service:
        service.groups.delete(group_id)
    if as_json:
        print_json({"deleted": group_id})
        return
    console.print(f"{group_id} is deleted", markup=False)


def _say(group: Group, *, as_json: bool) -> None:
    if as_json:
        print_json(group.model_dump(mode="json"))
        return
    console.print(f"{group.name}  {group.id}  {_states(group)}", markup=False, soft_wrap=True)
    columns = ("arm", "job", "state", "teacher", "plain", "imitated", "gain", "gap closed")
    print_table(columns, [_row(arm) for arm in group.summary], shorten="arm")
    if not group.fair:
        said = "the arms differ in data, seeds or how it is measured: their numbers are no fair comparison"
        console.print(said, markup=False, soft_wrap=True)


def _row(arm: Arm) -> tuple[object, ...]:
    scores = arm.scores
    accuracies = (percent(one) for one in (scores.teacher, scores.plain, scores.imitated))
    return (arm.label, arm.job_id or "deleted", arm.state or "-", *accuracies, _gain(arm), percent(scores.gap_closed))


def _gain(arm: Arm) -> str:
    gain = arm.gain
    if gain is None:
        return "-"
    interval = "" if gain.low is None or gain.high is None else f" ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    return f"{100 * gain.mean:+.1f}{interval}"


def _states(group: Group) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(group.states.items())) or "no jobs left"
