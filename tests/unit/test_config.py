"""The settings: where they come from, which are refused, and that no secret is shown."""

import json
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from shared import config
from shared.config import SETTINGS, Setting, Settings
from shared.errors import ConfigurationError
from shared.x.sealed_tokens import TokenKeys

REQUIRED = {
    "HASURA_GRAPHQL_ADMIN_SECRET": "the-admin-secret",
    "HASURA_GRAPHQL_JWT_SECRET": '{"type": "HS256", "key": "a-key-of-at-least-thirty-two-bytes"}',
    "WEBHOOK_SECRET": "the-webhook-secret",
    "CONSUMER_API_KEY": "the-consumer-key",
    "CONSUMER_API_SECRET": "the-consumer-secret",
    "X_TOKEN_KEYS": "first:" + "k" * 42 + "A",
}
ANOTHER = "another-secret-16"
NOTIFY = {"NOTIFY_URL": "https://mail.example.com/hooks", "NOTIFY_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
SENT_IN_A_HEADER = [name for name in REQUIRED if name not in ("HASURA_GRAPHQL_JWT_SECRET", "X_TOKEN_KEYS")]
ANOTHER_KEY = "second:" + "K" * 42 + "A"
ROOT = Path(__file__).parents[2]
NO_DOTENV = Path("there-is-no-such-file.env")


def load(**given: str) -> Settings:
    """The settings with `given` in the environment beside all that is required."""
    return config.load({**REQUIRED, **given}, NO_DOTENV)


def fault_of(**given: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(**given)
    return caught.value.detail


ADDRESSES = ["APP_BASE_API", "ACTIONS_BASE_URL", "X_BASE_URL", "NOTIFY_URL"]


def at(name: str, address: str) -> dict[str, str]:
    """The settings that make this process send something to `address`; `name` may be that of the JWT secret."""
    if name == "HASURA_GRAPHQL_JWT_SECRET":
        return {name: json.dumps({"jwk_url": address})}
    return {**(NOTIFY if name in NOTIFY else {}), name: address}


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("app_base_api", "http://localhost:3100"),
        ("actions_base_url", "http://localhost:7071"),
        ("x_base_url", "https://api.x.com"),
        ("max_lateness_seconds", 6 * 3600),
        ("publish_batch", 50),
        ("allow_plain_http", False),
        ("webhook_secret_previous", None),
        ("notify_url", None),
        ("notify_secret", None),
    ],
)
def test_a_setting_that_is_not_required_has_a_default(name: str, default: str | int | None) -> None:
    assert getattr(load(), name) == default


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("APP_BASE_API", "https://hasura.example.com", "https://hasura.example.com"),
        ("ACTIONS_BASE_URL", "https://app.azurewebsites.net", "https://app.azurewebsites.net"),
        ("HASURA_GRAPHQL_ADMIN_SECRET", ANOTHER, ANOTHER),
        (
            "HASURA_GRAPHQL_JWT_SECRET",
            '{"jwk_url": "https://idp.example.com/keys"}',
            '{"jwk_url": "https://idp.example.com/keys"}',
        ),
        ("HASURA_AUTHOR_ROLE", "editor", "editor"),
        ("WEBHOOK_SECRET", ANOTHER, ANOTHER),
        ("WEBHOOK_SECRET_PREVIOUS", ANOTHER, ANOTHER),
        ("CONSUMER_API_KEY", ANOTHER, ANOTHER),
        ("CONSUMER_API_SECRET", ANOTHER, ANOTHER),
        ("X_TOKEN_KEYS", ANOTHER_KEY, TokenKeys.of(ANOTHER_KEY)),
        ("X_BASE_URL", "http://localhost:7080", "http://localhost:7080"),
        ("MAX_LATENESS_SECONDS", "60", 60),
        ("EARLY_SECONDS", "0", 0),
        ("SWEEP_WAIT_SECONDS", "60", 60),
        ("PUBLISH_BATCH", "100", 100),
        ("MAX_POSTS_PER_DAY", "14", 14),
        ("NOTIFY_URL", "https://mail.example.com/hooks?to=ops", "https://mail.example.com/hooks?to=ops"),
        ("NOTIFY_SECRET", "whsec_" + "A" * 32, "whsec_" + "A" * 32),
        ("ALLOW_PLAIN_HTTP", "true", True),
    ],
    ids=[setting.name for setting in SETTINGS],
)
def test_every_setting_can_be_given(name: str, given: str, value: str | int | TokenKeys) -> None:
    beside = NOTIFY if name in NOTIFY else {}

    assert getattr(load(**{**beside, name: given}), name.lower()) == value


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.load({}, NO_DOTENV)

    assert [name for name in REQUIRED if f"{name} is missing" in caught.value.detail] == list(REQUIRED)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    fault = fault_of(X_BASE_URL="x.com", PUBLISH_BATCH="many", WEBHOOK_SECRET="")

    assert all(name in fault for name in ("X_BASE_URL", "PUBLISH_BATCH", "WEBHOOK_SECRET"))


class TestDotenv:
    def test_dotenv_gives_what_the_environment_does_not(self, dotenv: Path) -> None:
        dotenv.write_text("PUBLISH_BATCH=3\n")

        assert config.load(REQUIRED, dotenv).publish_batch == 3

    def test_the_environment_wins_over_dotenv(self, dotenv: Path) -> None:
        dotenv.write_text("PUBLISH_BATCH=3\n")

        assert config.load({**REQUIRED, "PUBLISH_BATCH": "5"}, dotenv).publish_batch == 5

    def test_dotenv_wins_over_an_empty_variable_of_the_environment(self, dotenv: Path) -> None:
        dotenv.write_text("PUBLISH_BATCH=3\n")

        assert config.load({**REQUIRED, "PUBLISH_BATCH": ""}, dotenv).publish_batch == 3

    def test_dotenv_may_hold_hasuras_json(self, dotenv: Path) -> None:
        written = json.dumps({"type": "HS256", "key": "k#k" * 11})
        dotenv.write_text(f"HASURA_GRAPHQL_JWT_SECRET='{written}'\n")
        others = {name: value for name, value in REQUIRED.items() if name != "HASURA_GRAPHQL_JWT_SECRET"}

        assert config.load(others, dotenv).hasura_graphql_jwt_secret == written

    def test_a_value_in_dotenv_is_taken_to_the_letter(self, dotenv: Path) -> None:
        dotenv.write_text("WEBHOOK_SECRET='pass${HOME}word-pass'\n")
        others = {name: value for name, value in REQUIRED.items() if name != "WEBHOOK_SECRET"}

        assert config.load(others, dotenv).webhook_secret == "pass${HOME}word-pass"

    def test_an_empty_value_in_dotenv_counts_as_not_given(self, dotenv: Path) -> None:
        dotenv.write_text("WEBHOOK_SECRET=\nPUBLISH_BATCH=\n")
        others = {name: value for name, value in REQUIRED.items() if name != "WEBHOOK_SECRET"}

        assert config.load(REQUIRED, dotenv).publish_batch == 50
        with pytest.raises(ConfigurationError, match="WEBHOOK_SECRET is missing"):
            config.load(others, dotenv)

    def test_dotenv_may_be_absent(self) -> None:
        assert config.load(REQUIRED, NO_DOTENV).webhook_secret == "the-webhook-secret"

    def test_dotenv_changes_nothing_in_the_environment_of_the_process(
        self, dotenv: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in REQUIRED.items():
            monkeypatch.setenv(name, value)
        dotenv.write_text("PUBLISH_BATCH=3\n")
        config.load(dotenv=dotenv)

        assert config.load(dotenv=NO_DOTENV).publish_batch == 50


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)

    assert config.load(dotenv=NO_DOTENV).webhook_secret == "the-webhook-secret"


@pytest.mark.parametrize("name", REQUIRED)
def test_an_empty_value_counts_as_not_given(name: str) -> None:
    assert f"{name} is missing" in fault_of(**{name: ""})


def test_an_empty_value_leaves_the_default() -> None:
    assert load(X_BASE_URL="", PUBLISH_BATCH="") == load()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_key_vault_reference_that_was_not_resolved_is_refused(setting: config.Setting) -> None:
    fault = fault_of(**{setting.name: "@Microsoft.KeyVault(SecretUri=https://vault.example.com/secrets/s/)"})

    assert f"{setting.name} is a Key Vault reference" in fault
    assert "vault.example.com" not in fault


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@pytest.mark.parametrize(
    "written",
    [
        pytest.param("{}\n", id="line-end"),
        pytest.param("{}\r\n", id="windows-line-end"),
        pytest.param("{} ", id="space-behind"),
        pytest.param(" {}", id="space-in-front"),
        pytest.param("\t{}", id="tab"),
        pytest.param("{}\N{NO-BREAK SPACE}", id="no-break-space"),
    ],
)
def test_white_space_around_a_value_is_refused(setting: config.Setting, written: str) -> None:
    value = REQUIRED.get(setting.name) or setting.default or ""
    fault = fault_of(**{setting.name: written.format(value)})

    assert fault == f"Settings: {setting.name} has white space at its start or end."


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_value_of_white_space_alone_is_refused(setting: config.Setting) -> None:
    assert fault_of(**{setting.name: " \n"}) == f"Settings: {setting.name} has white space at its start or end."


@pytest.mark.parametrize("name", SENT_IN_A_HEADER)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("sec\nret", id="line-end"),
        pytest.param("sec\x00ret", id="nul"),
        pytest.param("sec\tret", id="tab"),
        pytest.param("sec\x7fret", id="delete"),
        pytest.param("\ufeffsecret", id="byte-order-mark"),
        pytest.param("geheim-ß", id="not-ascii"),
        pytest.param("秘密", id="not-latin-1"),
        pytest.param("\udce9", id="not-utf-8"),
    ],
)
def test_a_secret_that_no_header_can_carry_is_refused(name: str, value: str) -> None:
    fault = fault_of(**{name: value})

    assert f"{name} must be printable ASCII characters" in fault
    assert value not in fault


@pytest.mark.parametrize("name", SENT_IN_A_HEADER)
@given(st.text(min_size=1) | st.text(st.characters(codec="ascii"), min_size=14, max_size=18))
def test_a_secret_is_taken_to_the_letter_or_refused_with_its_name(name: str, value: str) -> None:
    if re.fullmatch(r"(?!@Microsoft\.KeyVault\()[!-~][ -~]{14,}[!-~]", value):
        assert getattr(load(**{name: value}), name.lower()) == value
    else:
        assert fault_of(**{name: value}).startswith(f"Settings: {name} ")


@pytest.mark.parametrize("value", ["a-key-without-its-id", f"{REQUIRED['X_TOKEN_KEYS']},second:too-short"])
def test_keys_for_tokens_that_are_none_are_refused_without_showing_them(value: str) -> None:
    fault = fault_of(X_TOKEN_KEYS=value)

    assert fault.startswith("Settings: X_TOKEN_KEYS must be <key id>:<32 random bytes in base64url>")
    assert [part for part in value.split(",") if part in fault] == []


def test_hasuras_json_may_have_line_ends_within() -> None:
    written = '{\n  "type": "HS256",\n  "key": "a-key-of-at-least-thirty-two-bytes"\n}'

    assert load(HASURA_GRAPHQL_JWT_SECRET=written).hasura_graphql_jwt_secret == written


@pytest.mark.parametrize(
    ("role", "why"), [("admin", "must not be admin"), ("user\r\nx: y", "must be printable ASCII characters")]
)
def test_a_role_that_no_author_may_have_is_refused(role: str, why: str) -> None:
    assert f"HASURA_AUTHOR_ROLE {why}" in fault_of(HASURA_AUTHOR_ROLE=role)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("MAX_LATENESS_SECONDS", "59", id="too-little"),
        pytest.param("MAX_LATENESS_SECONDS", str(366 * 86400), id="too-much"),
        pytest.param("MAX_LATENESS_SECONDS", "6 h", id="with-a-unit"),
        pytest.param("MAX_LATENESS_SECONDS", "-60", id="negative"),
        pytest.param("EARLY_SECONDS", "46", id="longer-than-new-posts-are-delivered-at-once"),
        pytest.param("SWEEP_WAIT_SECONDS", "61", id="longer-than-a-delivery-waits"),
        pytest.param("PUBLISH_BATCH", "0", id="none"),
        pytest.param("MAX_POSTS_PER_DAY", "13", id="less-than-one-with-a-link"),
        pytest.param("PUBLISH_BATCH", "101", id="too-many"),
        pytest.param("PUBLISH_BATCH", "2.5", id="fraction"),
        pytest.param("PUBLISH_BATCH", "1e1", id="exponent"),
        pytest.param("PUBLISH_BATCH", "²", id="superscript"),
        pytest.param("PUBLISH_BATCH", "9" * 5000, id="endless"),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_the_bounds(name: str, value: str) -> None:
    assert f"{name} must be a whole number from " in fault_of(**{name: value})


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_help_of_a_number_says_its_bounds(setting: Setting) -> None:
    bounds = re.search(
        rf"{setting.name} must be a whole number (from [0-9]+ to [0-9]+)", fault_of(**{setting.name: "¹"})
    )

    assert bounds is None or bounds[1] in setting.help.lower()


@pytest.mark.parametrize("name", ["APP_BASE_API", "X_BASE_URL"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("localhost:3100", id="no-scheme"),
        pytest.param("ftp://localhost", id="other-scheme"),
        pytest.param("https://localhost:port", id="word-for-a-port"),
        pytest.param("https://user:password@example.com", id="with-a-password"),
        pytest.param("http://127.0.0.1:80@example.com", id="with-another-host-for-a-user"),
        pytest.param("http://127.0.0.1\\@example.com", id="with-a-backslash"),
        pytest.param("https://<project>.example.com", id="with-a-placeholder"),
        pytest.param("https://exa\x00mple.com", id="with-a-control-character"),
        pytest.param("https://", id="no-host"),
        pytest.param("https://[1:2]", id="no-ip-address-in-brackets"),
        pytest.param("https://localhost:99999", id="no-such-port"),
        pytest.param("https://example.com/v1/graphql", id="with-a-path"),
    ],
)
def test_an_address_that_is_none_is_refused(name: str, value: str) -> None:
    assert name in fault_of(**{name: value})


@pytest.mark.parametrize("value", ["http://[::1]:3100", "https://hasura.example.com:8443", "https://bücher.example"])
def test_an_address_may_have_a_port_an_ip_address_or_a_name_of_any_script(value: str) -> None:
    assert load(APP_BASE_API=value).app_base_api == value


@pytest.mark.parametrize("value", ["localhost:7071", "functions.example.com", "https://", "https://x.test/\x00"])
def test_an_address_at_which_hasura_could_not_deliver_is_refused(value: str) -> None:
    assert "ACTIONS_BASE_URL" in fault_of(ACTIONS_BASE_URL=value)


def test_a_template_of_hasuras_is_an_address_too() -> None:
    assert load(ACTIONS_BASE_URL="{{ACTIONS_BASE_URL}}").actions_base_url == "{{ACTIONS_BASE_URL}}"


def test_addresses_lose_the_slash_at_their_end() -> None:
    settings = load(
        APP_BASE_API="https://hasura.test/", ACTIONS_BASE_URL="{{ACTIONS_BASE_URL}}/", X_BASE_URL="https://x.test//"
    )

    assert settings.app_base_api == "https://hasura.test"
    assert settings.actions_base_url == "{{ACTIONS_BASE_URL}}"
    assert settings.x_base_url == "https://x.test"


@pytest.mark.parametrize("name", SENT_IN_A_HEADER)
def test_a_secret_is_taken_to_the_letter(name: str) -> None:
    assert getattr(load(**{name: "c2VjcmV0c2VjcmV0Lw/"}), name.lower()) == "c2VjcmV0c2VjcmV0Lw/"


def test_no_secret_is_shown_when_the_settings_are() -> None:
    settings = load(WEBHOOK_SECRET_PREVIOUS=ANOTHER, **NOTIFY)
    shown = repr(settings) + str(settings)

    assert [value for value in (*REQUIRED.values(), ANOTHER, *NOTIFY.values()) if value in shown] == []


def test_no_secret_is_shown_when_something_else_is_wrong() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(X_BASE_URL="x.com")

    assert [value for value in REQUIRED.values() if value in repr(caught.value)] == []


def test_no_value_is_shown_even_of_the_setting_that_is_wrong() -> None:
    assert "a-secret-in-the-wrong-place" not in fault_of(X_BASE_URL="a-secret-in-the-wrong-place")


def test_every_secret_is_marked_as_one() -> None:
    optional = {"WEBHOOK_SECRET_PREVIOUS", "NOTIFY_URL", "NOTIFY_SECRET"}

    assert {setting.name for setting in SETTINGS if setting.secret} == REQUIRED.keys() | optional


EXAMPLES = {
    ".env.example": dotenv_values(ROOT / ".env.example", interpolate=False),
    "local.settings.json.example": json.loads((ROOT / "local.settings.json.example").read_text())["Values"],
}


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_as_it_is_is_refused_and_each_of_its_placeholders_named(path: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.load(EXAMPLES[path], NO_DOTENV)

    named = re.findall(r"(\w+) is still the placeholder of the example", caught.value.detail)
    assert named == [setting.name for setting in SETTINGS if setting.secret and not setting.optional]


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_with_secrets_in_place_of_its_placeholders_is_accepted(path: str) -> None:
    config.load({**EXAMPLES[path], **REQUIRED}, NO_DOTENV)  # raises ConfigurationError otherwise


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("placeholder", ["change-me", "Change-Me-webhook-secret", "the-api-key-of-your-app-on-x"])
def test_a_placeholder_is_refused_for_every_secret(name: str, placeholder: str) -> None:
    fault = fault_of(**{name: placeholder})

    assert fault == f"Settings: {name} is still the placeholder of the example."


@pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
def test_a_placeholder_of_the_docs_is_refused_in_every_address(name: str) -> None:
    fault = fault_of(**at(name, "https://YOUR-TENANT.eu.auth0.com/.well-known/jwks.json"))

    assert fault == f"Settings: {name} is still the placeholder of the example."


@pytest.mark.parametrize("name", [*SENT_IN_A_HEADER, "WEBHOOK_SECRET_PREVIOUS"])
def test_a_secret_is_at_least_sixteen_characters_long(name: str) -> None:
    assert getattr(load(**{name: "k" * 16}), name.lower()) == "k" * 16
    assert fault_of(**{name: "k" * 15}) == f"Settings: {name} is shorter than 16 characters."


@pytest.mark.parametrize(
    ("written", "why"),
    [
        pytest.param({"type": "HS256", "key": "k" * 31}, "its key is too short for HS256", id="HS256"),
        pytest.param({"type": "HS512", "key": "k" * 63}, "its key is too short for HS512", id="HS512"),
        pytest.param({"type": "RS256", "key": "no key at all"}, "its key is none for RS256", id="RS256"),
        pytest.param({"type": "HS256"}, "it needs either a key or a jwk_url", id="no-key"),
    ],
)
def test_a_jwt_secret_that_can_verify_no_token_is_refused_among_the_other_faults(
    written: dict[str, str], why: str
) -> None:
    fault = fault_of(HASURA_GRAPHQL_JWT_SECRET=json.dumps(written), PUBLISH_BATCH="many")

    assert f"HASURA_GRAPHQL_JWT_SECRET cannot be used: {why}; PUBLISH_BATCH must be" in fault


class TestPlainHttp:
    @pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
    @pytest.mark.parametrize(
        "address",
        ["http://hasura.example.com", "http://10.0.0.7:8080", "http://[fd00::7]:8080", "http://localhost.example.com"],
    )
    def test_plain_http_beyond_this_machine_is_refused(self, name: str, address: str) -> None:
        fault = fault_of(**at(name, address))

        assert f"{name} " in fault
        assert "begins with http://, so that anybody on the way can read it" in fault
        assert address not in fault

    @pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
    @pytest.mark.parametrize(
        "address", ["http://localhost:3100", "http://127.0.0.1:3100", "http://127.1.2.3", "http://[::1]:3100"]
    )
    def test_plain_http_within_this_machine_is_accepted(self, name: str, address: str) -> None:
        load(**at(name, address))  # raises ConfigurationError otherwise

    @pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
    def test_plain_http_is_accepted_where_the_operator_allows_it(self, name: str) -> None:
        load(ALLOW_PLAIN_HTTP="true", **at(name, "http://hasura:8080"))  # raises ConfigurationError otherwise

    @pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
    @pytest.mark.parametrize("user", ["localhost", "127.0.0.1:80", "localhost:80", "[::1]:80", "127.0.0.1\\"])
    def test_a_loopback_address_before_an_at_sign_does_not_make_an_address_local(self, name: str, user: str) -> None:
        assert name in fault_of(**at(name, f"http://{user}@evil.example.com"))

    @pytest.mark.parametrize("name", [*ADDRESSES, "HASURA_GRAPHQL_JWT_SECRET"])
    def test_an_address_with_a_user_s_name_is_refused_even_where_plain_http_is_allowed(self, name: str) -> None:
        assert name in fault_of(ALLOW_PLAIN_HTTP="true", **at(name, "http://user@localhost"))

    def test_every_address_with_plain_http_is_named_at_once(self) -> None:
        fault = fault_of(APP_BASE_API="http://a.test", X_BASE_URL="http://x.test", CONSUMER_API_KEY="short")

        assert all(name in fault for name in ("APP_BASE_API", "X_BASE_URL", "CONSUMER_API_KEY is shorter"))

    @pytest.mark.parametrize("value", ["yes", "True", "1"])
    def test_the_permission_for_plain_http_is_true_or_false(self, value: str) -> None:
        assert fault_of(ALLOW_PLAIN_HTTP=value) == "Settings: ALLOW_PLAIN_HTTP must be true or false."


class TestTheNotifications:
    @pytest.mark.parametrize("name", NOTIFY)
    def test_neither_of_the_settings_of_notifications_goes_without_the_other(self, name: str) -> None:
        assert fault_of(**{name: NOTIFY[name]}) == "Settings: NOTIFY_URL and NOTIFY_SECRET need each other."

    @pytest.mark.parametrize(
        "secret",
        [
            pytest.param("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id="no-prefix"),
            pytest.param("whsec_" + "A" * 28, id="too-short"),
            pytest.param("whsec_" + "A" * 88, id="too-long"),
            pytest.param("whsec_no base64, no base64, no base64", id="no-base64"),
            pytest.param("my-whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id="words-in-front"),
        ],
    )
    def test_a_secret_that_standard_webhooks_does_not_know_is_refused(self, secret: str) -> None:
        fault = fault_of(**{**NOTIFY, "NOTIFY_SECRET": secret})

        assert fault == "Settings: NOTIFY_SECRET must be whsec_ and 24 to 64 random bytes as base64."

    @pytest.mark.parametrize("address", ["mail.example.com", "https://user:password@example.com/", "https://a.test/#b"])
    def test_an_address_at_which_nobody_could_be_notified_is_refused(self, address: str) -> None:
        assert "NOTIFY_URL must be an address" in fault_of(**{**NOTIFY, "NOTIFY_URL": address})


def test_hasura_may_send_either_secret_while_the_webhook_secret_is_rotated() -> None:
    assert load().webhook_secrets == (REQUIRED["WEBHOOK_SECRET"],)
    assert load(WEBHOOK_SECRET_PREVIOUS=ANOTHER).webhook_secrets == (REQUIRED["WEBHOOK_SECRET"], ANOTHER)
