"""Where the teacher helped: the imitating student beside the plain one."""

from fgfi_core.evaluation.report import SIZES, Change, Evaluation, Helped, ImageChange


def where_helped(plain: Evaluation, imitated: Evaluation) -> Helped:
    """Compare two students, measured on the same images. Raises ValueError when images or classes are others."""
    if [image.image_id for image in plain.images] != [image.image_id for image in imitated.images]:
        raise ValueError("the two students were not measured on the same images")
    if list(plain.classes) != list(imitated.classes):
        raise ValueError(f"the two students know different classes: {list(plain.classes)}, {list(imitated.classes)}")
    changes = [
        ImageChange(image_id=a.image_id, plain=a.false + a.missed, imitated=b.false + b.missed)
        for a, b in zip(plain.images, imitated.images, strict=True)
    ]
    changes.sort(key=lambda change: change.imitated - change.plain)
    return Helped(
        classes={
            name: Change(plain=one.ap50, imitated=imitated.classes[name].ap50) for name, one in plain.classes.items()
        },
        sizes={size: Change(plain=plain.sizes[size].ap50, imitated=imitated.sizes[size].ap50) for size in SIZES},
        gained=tuple(change for change in changes if change.imitated < change.plain),
        lost=tuple(change for change in reversed(changes) if change.imitated > change.plain),
    )
