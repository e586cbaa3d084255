"""The model card: what the delivered student is, what it was made from, how good it is, and what is not known."""

from fgfi_core.bundle.record import Bundle
from fgfi_core.data.frame import FILL
from fgfi_core.evaluation.gain import say
from fgfi_core.report.rules import COCO
from fgfi_core.report.tables import role_rows
from fgfi_core.report.write import environment
from fgfi_core.results import JobResult, Training
from fgfi_core.spec import DETECTORS, JobSpec

TEMPLATE = "model_card.jinja"


def model_card(result: JobResult, bundle: Bundle) -> str:
    """The card in Markdown, to lie beside the student's files."""
    spec = JobSpec.model_validate(bundle.resolved["spec"])
    student = _delivered(result)
    return (
        environment(html=False)
        .get_template(TEMPLATE)
        .render(
            result=result,
            bundle=bundle,
            spec=spec,
            fill=FILL,
            info=DETECTORS[student.detector],
            student=student,
            rows=role_rows(result),
            gain=say(result.gain) if result.gain is not None else "",
            coco={name: getattr(student.coco, field) for field, (name, _) in COCO.items()} if student.coco else {},
            method=spec.method.model_dump(mode="json"),
            unmeasured=[name for name, ap in student.score.ap50.items() if ap is None],
            onnx=next((export for export in result.exports if export.format.startswith("onnx")), None),
        )
    )


def _delivered(result: JobResult) -> Training:
    """The student that was exported: imitating where there is one, of several seeds the best."""
    role = "imitated" if result.map50("imitated") is not None else "plain"
    return max((one for one in result.trainings if one.role == role), key=lambda one: one.score.map50)
