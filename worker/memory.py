"""What to do about a run that did not fit into memory."""

from store.tables.base import Json


def smaller_micro_batch(spec: Json, resolved: Json | None, used: int | None) -> int | None:
    """Images at once for another try: half of what did not fit. None: the user set the batch size, or it is 1 already.

    resolved: what the run made of the spec; used: what the attempt was told, None when it chose by itself.
    """
    if spec.get("schedule", {}).get("batch_size") != "auto":
        return None
    schedule = (resolved or {}).get("spec", {}).get("schedule", {})
    tried = [size for size in (used, schedule.get("micro_batch"), schedule.get("batch_size")) if isinstance(size, int)]
    return tried[0] // 2 or None if tried else None
