from store.queues import PRIORITIES, all_queues, class_of, priority_name, queue_of, served


def test_each_class_has_a_queue_and_each_queue_a_class() -> None:
    assert all_queues(["big"]) == ["jobs", "jobs.cpu", "jobs.gpu", "jobs.big"]
    assert [class_of(queue) for queue in all_queues(["big"])] == ["any", "cpu", "gpu", "big"]
    assert [queue_of(class_of(queue)) for queue in all_queues(["big"])] == all_queues(["big"])


def test_a_worker_for_jobs_takes_those_of_its_own_classes() -> None:
    assert served(["jobs"], ["gpu", "cpu"]) == ["jobs", "jobs.cpu", "jobs.gpu"]
    assert served([*all_queues(["big"]), "datasets"], ["cpu"]) == ["datasets", "jobs", "jobs.cpu"]


def test_a_worker_that_was_not_asked_for_jobs_takes_none() -> None:
    assert served(["datasets"], ["cpu"]) == ["datasets"]


def test_a_worker_asked_for_one_class_alone_leaves_the_rest() -> None:
    assert served(["jobs.gpu"], ["gpu", "cpu"]) == ["jobs.gpu"]


def test_priorities_have_names_in_their_order() -> None:
    assert sorted(PRIORITIES, key=PRIORITIES.__getitem__) == ["low", "normal", "high"]
    assert [priority_name(value) for value in PRIORITIES.values()] == list(PRIORITIES)
