import pytest

from worker.memory import smaller_micro_batch

AUTO = {"schedule": {"batch_size": "auto"}}


def resolved(**schedule: object) -> dict[str, object]:
    return {"spec": {"schedule": schedule}}


@pytest.mark.parametrize(
    ("schedule", "used", "smaller"),
    [
        ({"batch_size": 32}, None, 16),
        ({"batch_size": 32, "micro_batch": "auto"}, None, 16),
        ({"batch_size": 32, "micro_batch": 8}, None, 4),
        ({"batch_size": 32, "micro_batch": 8}, 3, 1),
        ({"batch_size": 1}, None, None),
    ],
)
def test_another_try_takes_half_of_what_did_not_fit(
    schedule: dict[str, object], used: int | None, smaller: int | None
) -> None:
    assert smaller_micro_batch(AUTO, resolved(**schedule), used) == smaller


def test_a_batch_size_of_the_users_is_theirs_to_change() -> None:
    assert smaller_micro_batch({"schedule": {"batch_size": 32}}, resolved(batch_size=32), None) is None


def test_a_run_that_never_said_what_it_tried_is_not_tried_again() -> None:
    assert smaller_micro_batch(AUTO, None, None) is None
