import io

from embedded.log import Log


class Terminal(io.StringIO):
    """A stream somebody watches."""

    def isatty(self) -> bool:
        return True


def test_each_line_stands_behind_its_part() -> None:
    written = io.StringIO()
    log = Log(written)

    log("api", "started")
    log("postgres", "ready")

    assert written.getvalue() == "api      | started\npostgres | ready\n"


def test_on_a_terminal_the_part_is_coloured_and_the_line_is_not() -> None:
    written = Terminal()

    Log(written)("api", "started")

    assert written.getvalue() == "\x1b[32mapi      |\x1b[0m started\n"


def test_a_parts_output_cannot_steer_the_terminal() -> None:
    written = io.StringIO()

    Log(written)("worker", "\x1b[2Jgone\x07\x1b[31m red")

    assert written.getvalue() == "worker   | gone red\n"


def test_a_reader_that_went_away_does_not_stop_the_stack() -> None:
    written = io.StringIO()
    log = Log(written)
    written.close()

    log("api", "nobody listens")

    assert written.closed
