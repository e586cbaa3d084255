from fgfi_core.report.chart import Axis, Series, line_chart, nice_step
from fgfi_core.report.curves import loss_chart, map_chart
from fgfi_core.report.inputs import Point


def history(*losses: float) -> list[Point]:
    return [(i, float(i), {"loss/box": loss, "loss/imitation": 1e6}) for i, loss in enumerate(losses, 1)]


def test_the_imitation_term_is_not_in_the_loss_that_roles_are_compared_by() -> None:
    svg = loss_chart({("plain", 0): history(4, 2), ("imitated", 0): history(4, 2)})
    # Both lines are the same, and the axis ends at 4.
    assert ">4</text>" in svg
    assert ">1e+06</text>" not in svg


def test_several_seeds_are_faint_and_their_mean_is_not() -> None:
    svg = loss_chart({("plain", 0): history(4, 2), ("plain", 1): history(2, 4)})
    assert svg.count('class="line plain faint"') == 2
    assert svg.count('class="line plain"') == 1
    assert "Plain student, mean" in svg


def test_a_history_without_evaluations_draws_nothing() -> None:
    assert map_chart({("plain", 0): history(4, 2)}) == ""


def test_the_imitating_student_is_drawn_last_and_so_on_top() -> None:
    svg = loss_chart({("imitated", 0): history(1, 1), ("teacher", 0): history(1, 1), ("plain", 0): history(1, 1)})
    assert svg.index('class="line teacher"') < svg.index('class="line plain"') < svg.index('class="line imitated"')


def test_labels_are_escaped() -> None:
    svg = line_chart([Series("plain", "<b>", [(0, 0), (1, 1)])], Axis("<i>"), Axis("y"))
    assert "<b>" not in svg
    assert "<i>" not in svg


def test_a_flat_line_has_an_axis() -> None:
    assert "nan" not in line_chart([Series("plain", "flat", [(1, 2), (2, 2)])], Axis("x"), Axis("y"))


def test_steps_are_one_two_or_five_times_a_power_of_ten() -> None:
    assert [nice_step(rough) for rough in (0.9, 1, 1.1, 3, 7, 30)] == [1, 1, 2, 5, 10, 50]
