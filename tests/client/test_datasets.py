"""A data set named on the command line."""

from collections.abc import Callable

import httpx
import pytest

from client.commands.datasets import find
from client.errors import EXIT_USAGE, ClientError
from client.sdk import Fgfi

MakeService = Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi]
KNOWN = {
    "ds_1": ("cells", "ready"),
    "ds_2": ("cells", "rejected"),
    "ds_3": ("cars", "ready"),
    "ds_4": ("cars", "ready"),
    "ds_5": ("broken", "rejected"),
    "ds_6": ("ds_1", "ready"),
}


@pytest.fixture
def service(make_service: MakeService) -> Fgfi:
    rows = [
        {
            "id": key,
            "name": name,
            "state": state,
            "created_at": "2030-01-01T00:00:00Z",
            "error": {"message": "it holds no files"} if state == "rejected" else None,
        }
        for key, (name, state) in KNOWN.items()
    ]
    return make_service(lambda _: httpx.Response(200, json={"data": rows, "has_more": False}))


def test_an_id_names_its_data_set_even_when_another_is_called_so(service: Fgfi) -> None:
    assert find(service, "ds_1").id == "ds_1"


def test_a_name_will_do_when_one_ready_data_set_has_it(service: Fgfi) -> None:
    assert find(service, "cells").id == "ds_1"


@pytest.mark.parametrize(
    ("name", "message", "listed"),
    [
        ("cars", "2 ready data sets are called 'cars': pass the id of one", ["ds_3", "ds_4"]),
        ("broken", "data set 'broken' is not ready", ["ds_5"]),
        ("ds_2", "data set 'ds_2' is not ready", ["ds_2"]),
        ("boats", "there is no data set 'boats'", ["ds_1", "ds_3", "ds_4", "ds_6"]),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_ids_to_choose_from(
    service: Fgfi, name: str, message: str, listed: list[str]
) -> None:
    with pytest.raises(ClientError) as caught:
        find(service, name)

    assert (caught.value.message, caught.value.exit_code) == (message, EXIT_USAGE)
    assert [hint.split()[0] for hint in caught.value.hints] == listed


def test_what_is_not_ready_says_why(service: Fgfi) -> None:
    with pytest.raises(ClientError) as caught:
        find(service, "broken")

    assert caught.value.hints[0].endswith(": it holds no files")


def test_where_there_is_none_it_says_how_to_add_one(make_service: MakeService) -> None:
    empty = make_service(lambda _: httpx.Response(200, json={"data": [], "has_more": False}))

    with pytest.raises(ClientError) as caught:
        find(empty, "cells")

    assert caught.value.hints == ("add one with `fgfi datasets add FOLDER`",)
