from bench.tables import table


def test_a_call_has_its_times_ratios_and_indexes() -> None:
    row = {
        "call": "claim",
        "rows": [1000, 100_000, 1_000_000],
        "ms": [4.04, 4.5, 5.06],
        "ratio": [1.0, 1.1, 1.254],
        "read": [20, 70, 80],
        "by": ["jobs by ix_jobs_turn", "jobs by pk_jobs"],
    }
    head, _, line = table("queue", [row]).splitlines()

    assert head == "| call | 1k, ms | 100k, ms | 1M, ms | 100k, ratio | 1M, ratio | rows read | by |"
    assert (
        line == "| claim | 4.0 | 4.5 | 5.1 | 1.10 | 1.25 | 20 / 70 / 80 | `jobs by ix_jobs_turn`, `jobs by pk_jobs` |"
    )


def test_a_job_claimed_twice_is_shown() -> None:
    row = {
        "call": "claim",
        "workers": 50,
        "calls": 10_020,
        "per_second": 99.96,
        "p50": 12.4,
        "p99": 80.6,
        "database": 2.345,
        "doubled": 1,
    }
    (line,) = table("queue-workers", [row]).splitlines()[2:]

    assert line == "| claim | 50 | 10020 | 100.0 | 12 | 81 | 2.35 | 1 |"
