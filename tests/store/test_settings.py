from pathlib import Path

import pytest

from store.settings import Settings, SettingsError, get_settings

GOOD = {
    "FGFI_DATABASE_URL": "postgresql://me@localhost/fgfi",
    "FGFI_REDIS_URL": "redis://localhost:6379/0",
    "FGFI_STORAGE_URL": "file:///data",
    "FGFI_SECRET_KEY": "0123456789abcdef0123456789abcdef",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    return monkeypatch


def test_the_database_is_reached_by_psycopg() -> None:
    assert get_settings().database_url == "postgresql+psycopg://me@localhost/fgfi"


def test_psycopg_itself_gets_the_plain_address() -> None:
    assert get_settings().psycopg_url == GOOD["FGFI_DATABASE_URL"]


def test_hosts_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FGFI_ALLOWED_HOSTS", "a.example, b.example")
    assert get_settings().allowed_hosts == ("a.example", "b.example")


def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("FGFI_REDIS_URL")
    with pytest.raises(SettingsError, match="FGFI_REDIS_URL"):
        get_settings()


@pytest.mark.parametrize("secret", ["short", "changeme-changeme-changeme-changeme", "a" * 40])
def test_a_weak_secret_is_refused_and_not_repeated(environment: pytest.MonkeyPatch, secret: str) -> None:
    environment.setenv("FGFI_SECRET_KEY", secret)
    with pytest.raises(SettingsError, match="FGFI_SECRET_KEY") as refused:
        get_settings()
    assert secret not in str(refused.value)


def test_another_database_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FGFI_DATABASE_URL", "sqlite:///x.db")
    with pytest.raises(SettingsError, match="PostgreSQL is the only database"):
        get_settings()


def test_a_lease_must_outlive_its_heartbeats(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FGFI_LEASE_SECONDS", "20")
    with pytest.raises(SettingsError, match="FGFI_HEARTBEAT_SECONDS"):
        get_settings()


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert GOOD["FGFI_SECRET_KEY"] not in repr(get_settings())


def test_the_cache_has_a_place_by_default() -> None:
    assert isinstance(get_settings(), Settings)
    assert get_settings().worker_cache != Path()


def test_an_installation_has_classes_of_devices_of_its_own(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FGFI_DEVICE_CLASSES", "big, small")
    environment.setenv("FGFI_WORKER_CLASSES", "big")
    assert (get_settings().device_classes, get_settings().worker_classes) == (("big", "small"), ("big",))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FGFI_WORKER_CLASSES", "tpu"),
        ("FGFI_AUTO_CLASS", "tpu"),
        ("FGFI_DEVICE_CLASSES", "a b"),
        ("FGFI_DEVICE_CLASSES", "any"),
    ],
)
def test_an_unknown_or_unusable_class_is_named(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    environment.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        get_settings()


def test_groups_of_a_login_provider_are_given_access(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FGFI_OIDC_ISSUER", "https://login.example")
    environment.setenv("FGFI_OIDC_CLIENT_ID", "fgfi")
    environment.setenv("FGFI_OIDC_ACCESS", "cn=ops,dc=x=default:operator, *=default:read")
    with pytest.raises(SettingsError, match="is not group=project:scope"):
        get_settings()  # A comma ends an entry.
    environment.setenv("FGFI_OIDC_ACCESS", "ops=default:operator, *=default:read")
    first, second = get_settings().oidc_access
    assert (first.group, first.project, first.scope) == ("ops", "default", "operator")
    assert (second.group, second.scope) == ("*", "read")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"FGFI_OIDC_ISSUER": "http://login.example"}, "must begin with https://"),
        ({"FGFI_OIDC_ACCESS": ""}, "needs FGFI_OIDC_CLIENT_ID and FGFI_OIDC_ACCESS"),
        ({"FGFI_OIDC_CLIENT_ID": ""}, "needs FGFI_OIDC_CLIENT_ID and FGFI_OIDC_ACCESS"),
        ({"FGFI_OIDC_ACCESS": "ops=default:everything"}, "with a scope of read, submit, admin, operator"),
    ],
)
def test_a_login_provider_that_cannot_be_used_stops_the_start(
    environment: pytest.MonkeyPatch, changed: dict[str, str], message: str
) -> None:
    usable = {
        "FGFI_OIDC_ISSUER": "https://login.example",
        "FGFI_OIDC_CLIENT_ID": "fgfi",
        "FGFI_OIDC_ACCESS": "ops=default:operator",
    }
    for name, value in {**usable, **changed}.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        get_settings()
