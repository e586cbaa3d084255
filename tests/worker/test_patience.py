from fgfi_core import events
from fgfi_core.spec import Stage
from fgfi_core.training.pulse import Pulse
from worker.patience import Patience


def step(number: int, stage: Stage = "teacher") -> events.Event:
    return events.Metrics(stage=stage, seed=0, step=number, epoch=0.0, values={})


def after(*told: tuple[float, events.Event]) -> Patience:
    """Patience of at least ten minutes that heard these events at these seconds."""
    patience = Patience(600, 20, 0.0)
    for now, event in told:
        patience.note(event, now)
    return patience


def test_ten_minutes_of_silence_are_fine_and_no_more() -> None:
    patience = after((5.0, step(1)))
    assert not patience.is_over(605.0)
    assert patience.is_over(605.1)


def test_slow_steps_make_it_wait_for_twenty_of_them() -> None:
    patience = after(*((100.0 * n, step(n)) for n in range(1, 5)))
    assert patience.limit == 2000.0
    assert not patience.is_over(400.0 + 2000.0)


def test_steps_told_ten_at_a_time_are_timed_one_by_one() -> None:
    assert after((0.0, step(10)), (1000.0, step(20)), (2000.0, step(30))).limit == 2000.0


def test_one_slow_step_among_many_does_not_stretch_it() -> None:
    told = [(float(n), step(n)) for n in range(1, 20)]
    assert after(*told, (5000.0, step(20))).limit == 600.0


def test_the_first_step_of_a_stage_is_not_timed_from_the_stage_before() -> None:
    assert after((0.0, step(1)), (9000.0, step(2, "baseline"))).limit == 600.0


def test_every_event_is_a_sign_of_life() -> None:
    patience = after((1.0, step(1)), (500.0, events.Log(level="info", message="evaluating")))
    assert not patience.is_over(1000.0)


def test_a_slow_evaluation_counts_as_alive_as_long_as_images_go_by() -> None:
    """Each batch takes 400 s, all of them far longer than a silent run is waited for."""
    clock = 0.0
    patience = Patience(600, 20, clock)
    alive = Pulse(lambda event: patience.note(event, clock), lambda: clock)
    alive(events.StageStarted(stage="teacher", seed=0, steps=2))
    alive(step(1))
    for _batch in range(10):
        clock += 400
        assert not patience.is_over(clock)
        alive.seen(8)
    assert patience.is_over(clock + 601)


def test_what_was_before_the_run_does_not_count() -> None:
    patience = Patience(600, 20, 0.0)
    patience.begin(5000.0)
    assert not patience.is_over(5500.0)
