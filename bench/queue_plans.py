"""How PostgreSQL goes about the statements of a call: which indexes, how many rows read, any table read as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass(frozen=True)
class Plan:
    """One statement as it was executed.

    scans: in the order of the plan, how each table was read, as in `jobs by ix_jobs_turn` or `jobs as a whole`.
    rows: read from tables, those that a filter then dropped included.
    """

    statement: str
    scans: tuple[str, ...]
    rows: int

    @property
    def whole(self) -> tuple[str, ...]:
        """The tables read from end to end."""
        return tuple(scan.removesuffix(WHOLE) for scan in self.scans if scan.endswith(WHOLE))


WHOLE = " as a whole"
_EXPLAINED = ("SELECT", "UPDATE", "DELETE", "WITH")


@contextmanager
def watched(engine: Engine) -> Iterator[list[Plan]]:
    """The plans of every statement sent in this block, each executed twice: once explained and taken back."""
    plans: list[Plan] = []

    def explain(
        connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if many or not statement.lstrip().startswith(_EXPLAINED):
            return
        cursor = connection.connection.cursor()
        cursor.execute("SAVEPOINT look")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        row = cursor.fetchone()
        cursor.execute("ROLLBACK TO look")
        cursor.execute("RELEASE look")
        cursor.close()
        if row is not None:
            plans.append(_plan(statement, row[0][0]["Plan"]))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def _plan(statement: str, root: Mapping[str, Any]) -> Plan:
    nodes = list(_nodes(root))
    scans = [scan for node in nodes if (scan := _scan(node))]
    read = [node for node in nodes if "Relation Name" in node or node["Node Type"] == "Bitmap Index Scan"]
    return Plan(" ".join(statement.split()), tuple(scans), sum(map(_rows, read)))


def _scan(node: Mapping[str, Any]) -> str | None:
    kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name")
    if kind == "Seq Scan":
        return f"{table}{WHOLE}"
    if kind == "Bitmap Index Scan":
        return f"bitmap of {index}"
    return f"{table} by {index}" if index else None


def _rows(node: Mapping[str, Any]) -> int:
    if node["Node Type"] == "ModifyTable":
        return 0
    rows: float = node["Actual Rows"]
    rows += node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    loops: int = node["Actual Loops"]
    return round(rows * loops)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    inner: Sequence[Mapping[str, Any]] = node.get("Plans", ())
    for one in inner:
        yield from _nodes(one)
