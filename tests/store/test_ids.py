from store import ids


def test_an_id_says_what_it_names() -> None:
    assert ids.new("job").startswith("job_")


def test_ids_do_not_repeat() -> None:
    assert len({ids.new("ds") for _ in range(1000)}) == 1000
