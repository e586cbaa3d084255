from client.sse import Message, parse


def test_a_message_has_its_event_its_data_and_the_last_id() -> None:
    lines = ["id: 7", "event: state", 'data: {"to": "running"}', ""]

    assert list(parse(lines)) == [Message("state", '{"to": "running"}', "7")]


def test_a_message_without_an_id_keeps_the_one_before() -> None:
    lines = ["id: 7", "data: a", "", "event: progress", "data: b", ""]

    assert [message.last_id for message in parse(lines)] == ["7", "7"]


def test_pings_and_unknown_fields_are_skipped() -> None:
    assert list(parse([": ping", "", "retry: 2000", "", "data: a", ""])) == [Message("message", "a", "")]


def test_data_of_several_lines_is_joined() -> None:
    assert [message.data for message in parse(["data: a", "data: b", ""])] == ["a\nb"]


def test_a_message_that_a_break_cut_off_is_dropped() -> None:
    assert list(parse(["id: 7", "data: a", "", "id: 8", "data: half"])) == [Message("message", "a", "7")]
