from fgfi_core.report.gap import gap_line


def test_labels_of_teacher_and_plain_student_that_are_close_turn_away_from_each_other() -> None:
    close = gap_line({"teacher": 0.502, "plain": 0.5, "imitated": 0.501})
    assert 'text-anchor="end">Plain 50.0<' in close
    assert 'text-anchor="start">Teacher 50.2<' in close
    apart = gap_line({"teacher": 0.9, "plain": 0.5, "imitated": 0.501})
    assert apart.count('text-anchor="middle"') == 3


def test_without_labels_there_are_marks_alone() -> None:
    assert "<text" not in gap_line({"teacher": 0.9, "plain": 0.5}, labels=False)


def test_nothing_known_draws_nothing() -> None:
    assert gap_line({"teacher": None}) == ""
