"""The bar that is drawn while bytes go out or come in, on a terminal only."""

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from client.output import error_console


def transfer_bar(*, quiet: bool) -> Progress:
    """A bar a task, with bytes, speed and time left; on the error stream, so that output stays what was asked for."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=error_console,
        disable=quiet or not error_console.is_terminal,
    )
