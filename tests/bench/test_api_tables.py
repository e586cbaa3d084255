from bench.tables import table


def test_a_call_has_its_rate_and_percentiles_at_each_size() -> None:
    row = {
        "call": "list",
        "rows": [1000, 100_000],
        "requests": 192,
        "per_second": [75.4, 83.6],
        "p50": [39.4, 34.0],
        "p99": [181.2, 177.0],
    }
    head, _, line = table("api", [row]).splitlines()

    assert head == (
        "| call | 1k: a second | 1k: p50, ms | 1k: p99, ms | 100k: a second | 100k: p50, ms | 100k: p99, ms |"
    )
    assert line == "| list | 75 | 39 | 181 | 84 | 34 | 177 |"


def test_a_figure_of_a_process_is_its_median_and_its_range() -> None:
    (line,) = table("api-process", [{"what": "start, s", "values": [2.5, 0.75, 1.0]}]).splitlines()[2:]

    assert line == "| start, s | 1 | 3 | 0.75 | 2.5 |"
