"""Logs of the API: one JSON object a line, or coloured for a person. No key and no token ever reaches one."""

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

SECRET = re.compile(r"fgfi_[A-Za-z0-9_-]{8,}|(?<=token=)[^&\s\"']+|(?<=Bearer )\S+", re.IGNORECASE)
MASK = "[secret]"


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: blank whatever looks like a key, a token or a signed link, however deep."""
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET.sub(MASK, value)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def _mask_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = _masked(record.getMessage()), ()
    return True


def configure(style: Literal["json", "console"]) -> None:
    """Send structlog and the standard library's loggers to stderr in one style."""
    # uvicorn's own request line has the query in it, and with that the one-time login token.
    logging.getLogger("uvicorn.access").disabled = True
    # At its most talkative uvicorn prints every request's address and query, too.
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).addFilter(_mask_record)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        # Plain: the fancy formatter prints every local variable, and with them headers and keys.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_to_stderr,
    )


def _to_stderr(*_names: Any) -> structlog.PrintLogger:
    # Looked up for each line: whoever redirects stderr later gets the lines from then on.
    return structlog.PrintLogger(sys.stderr)
