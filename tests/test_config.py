"""Which organisation is meant, and that no credential can go anywhere but to its home."""

from __future__ import annotations

import pickle
import stat
import sys
import tomllib

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm import hosts
from bulkzcrm.config import VARIABLES, Connection, Secret, home, load_connection, load_login, write_profile
from bulkzcrm.errors import ConfigurationError
from bulkzcrm.redact import scrub

COMPLETE = {
    "BULKZCRM_CLIENT_ID": "1000.ENVIRON",
    "BULKZCRM_CLIENT_SECRET": "secret-of-the-environment",
    "BULKZCRM_REFRESH_TOKEN": "token-of-the-environment",
}
EU = {
    "client_id": "1000.EU",
    "client_secret": "secret-of-the-profile",
    "refresh_token": "token-of-the-profile",
    "api_domain": "https://www.zohoapis.eu",
    "org_id": "20001",
}
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")


def load(folder, environ=None, profile=None, **more) -> Connection:
    return load_connection(profile=profile, environ=environ or {}, home=folder, **more)


def test_home_is_the_variable_else_the_platforms_state_folder(tmp_path):
    assert home({"BULKZCRM_HOME": str(tmp_path)}) == tmp_path
    assert home({}) == platformdirs.user_state_path("bulkzcrm", appauthor=False)
    assert home({"BULKZCRM_HOME": "  "}) == home({})
    assert home({"BULKZCRM_HOME": "here"}).is_absolute()


def test_credentials_of_the_environment_are_enough_and_the_rest_has_defaults(tmp_path):
    connection = load(tmp_path, COMPLETE)
    assert connection.client_id == "1000.ENVIRON"
    assert connection.client_secret.reveal() == "secret-of-the-environment"
    assert connection.refresh_token.reveal() == "token-of-the-environment"
    assert (connection.api_domain, connection.accounts_url) == ("https://www.zohoapis.com", "https://accounts.zoho.com")
    assert (connection.api_version, connection.org_id, connection.proxy) == ("v8", None, None)
    assert (connection.profile, connection.home, connection.notes) == (None, tmp_path, ())


def test_only_profile_is_used_without_being_named(tmp_path):
    write_profile(tmp_path, "eu", EU)
    connection = load(tmp_path)
    assert (connection.profile, connection.client_id, connection.org_id) == ("eu", "1000.EU", "20001")
    assert connection.accounts_url == "https://accounts.zoho.eu"


def test_environment_beats_the_only_profile_and_that_the_defaults(tmp_path):
    write_profile(tmp_path, "eu", {**EU, "api_version": "v7"})
    assert load(tmp_path).api_version == "v7"
    connection = load(tmp_path, {"BULKZCRM_API_VERSION": "v9", "BULKZCRM_ORG_ID": "777"})
    assert (connection.client_id, connection.api_version, connection.org_id) == ("1000.EU", "v9", "777")
    (note,) = connection.notes
    assert "BULKZCRM_ORG_ID, BULKZCRM_API_VERSION of the environment" in note


def test_complete_environment_needs_no_profile_however_many_there_are(tmp_path):
    for name in ("one", "two"):
        write_profile(tmp_path, name, EU)
    connection = load(tmp_path, COMPLETE)
    assert (connection.profile, connection.org_id) == (None, None)


def test_profile_that_is_asked_for_decides_which_organisation_is_meant(tmp_path):
    """Otherwise a forgotten variable would write into another organisation than the one that was named."""
    write_profile(tmp_path, "eu", EU)
    connection = load(tmp_path, {**COMPLETE, "BULKZCRM_ORG_ID": "666", "BULKZCRM_API_VERSION": "v9"}, profile="eu")
    assert (connection.client_id, connection.org_id, connection.profile) == ("1000.EU", "20001", "eu")
    assert connection.refresh_token.reveal() == "token-of-the-profile"
    assert connection.api_version == "v9"
    assert "not BULKZCRM_CLIENT_ID, BULKZCRM_CLIENT_SECRET" in connection.notes[0]


def test_organisation_of_the_environment_never_goes_with_the_credentials_of_a_profile_asked_for(tmp_path):
    write_profile(tmp_path, "us", {key: EU[key] for key in ("client_id", "client_secret", "refresh_token")})
    environ = {"BULKZCRM_ORG_ID": "666", "BULKZCRM_API_DOMAIN": "https://www.zohoapis.eu"}
    connection = load(tmp_path, environ, profile="us")
    assert (connection.org_id, connection.api_domain) == (None, "https://www.zohoapis.com")
    assert "not BULKZCRM_API_DOMAIN, BULKZCRM_ORG_ID" in connection.notes[0]


def test_environment_fills_what_a_profile_leaves_out(tmp_path):
    write_profile(tmp_path, "eu", {key: value for key, value in EU.items() if key != "refresh_token"})
    connection = load(tmp_path, {"BULKZCRM_REFRESH_TOKEN": "from-a-vault"}, profile="eu")
    assert connection.refresh_token.reveal() == "from-a-vault"
    assert connection.notes == ()


def test_empty_variable_counts_as_absent(tmp_path):
    assert load(tmp_path, {**COMPLETE, "BULKZCRM_ORG_ID": "", "BULKZCRM_PROXY": " "}).org_id is None


def test_several_profiles_and_none_named_lists_them(tmp_path):
    for name in ("eu", "us"):
        write_profile(tmp_path, name, EU)
    with pytest.raises(ConfigurationError, match=r"several profiles: eu, us\. Name one with --profile"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("asked", "words"), [("eu2", "Did you mean eu.*It holds eu"), ("production", "no profile production.*holds eu")]
)
def test_unknown_profile_is_refused_with_what_there_is(tmp_path, asked, words):
    write_profile(tmp_path, "eu", EU)
    with pytest.raises(ConfigurationError, match=words):
        load(tmp_path, profile=asked)


def test_profile_asked_for_where_there_is_none_tells_how_to_make_one(tmp_path):
    with pytest.raises(ConfigurationError, match="auth login makes one"):
        load(tmp_path, COMPLETE, profile="eu")


def test_missing_credentials_are_all_named_and_the_sandbox_offered(tmp_path):
    with pytest.raises(ConfigurationError) as missing:
        load(tmp_path, {"BULKZCRM_CLIENT_ID": "1000.X"})
    assert "BULKZCRM_CLIENT_SECRET, BULKZCRM_REFRESH_TOKEN." in missing.value.message
    assert "BULKZCRM_CLIENT_ID" not in missing.value.message
    assert "--sandbox" in missing.value.cure


def test_misspelt_variable_is_guessed(tmp_path):
    environ = {**COMPLETE, "BULKZCRM_REFRESHTOKEN": "x"}
    del environ["BULKZCRM_REFRESH_TOKEN"]
    with pytest.raises(ConfigurationError, match="BULKZCRM_REFRESHTOKEN is set; did you mean BULKZCRM_REFRESH_TOKEN"):
        load(tmp_path, environ)


def test_login_needs_no_refresh_token(tmp_path):
    environ = {name: value for name, value in COMPLETE.items() if "TOKEN" not in name}
    assert not load(tmp_path, environ, needs_login=False).refresh_token
    assert not load_login(profile="new", environ=environ, home=tmp_path).refresh_token


@pytest.mark.parametrize("centre", hosts.DATA_CENTRES, ids=lambda centre: centre.name)
def test_each_of_the_two_addresses_gives_the_other(tmp_path, centre):
    by_api = load(tmp_path, {**COMPLETE, "BULKZCRM_API_DOMAIN": centre.apis[1] + "/"})
    assert (by_api.api_domain, by_api.accounts_url) == (centre.apis[1], centre.accounts)
    by_accounts = load(
        tmp_path, {**COMPLETE, "BULKZCRM_ACCOUNTS_URL": centre.accounts.upper().replace("HTTPS", "https")}
    )
    assert (by_accounts.api_domain, by_accounts.accounts_url) == (centre.apis[0], centre.accounts)


@pytest.mark.parametrize("key", ["BULKZCRM_API_DOMAIN", "BULKZCRM_ACCOUNTS_URL"])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:65535", "https://127.1.2.3"]
)
def test_stand_in_on_this_machine_serves_both_addresses(tmp_path, key, url):
    connection = load(tmp_path, {**COMPLETE, key: url})
    assert (connection.api_domain, connection.accounts_url) == (url, url)


@pytest.mark.parametrize("accounts", ["https://accounts.zoho.com", "http://127.0.0.1:9"])
def test_addresses_of_two_data_centres_do_not_go_together(tmp_path, accounts):
    environ = {**COMPLETE, "BULKZCRM_API_DOMAIN": "https://www.zohoapis.eu", "BULKZCRM_ACCOUNTS_URL": accounts}
    with pytest.raises(
        ConfigurationError, match="BULKZCRM_API_DOMAIN belongs to data centre EU and BULKZCRM_ACCOUNTS_URL belongs to"
    ):
        load(tmp_path, environ)


FOREIGN = [
    "http://www.zohoapis.com",
    "https://www.zohoapis.com:443",
    "https://www.zohoapis.com/crm",
    "https://www.zohoapis.com?x",
    "https://www.zohoapis.com#x",
    "https://www.zohoapis.com//",
    "https://www.zohoapis.com.",
    "https://user:pw@www.zohoapis.com",
    "https://evil.example@www.zohoapis.com",
    "https://www.zohoapis.com@evil.example",
    "https://www.zohoapis.com.evil.example",
    "https://www.zohoapis.com\\@evil.example",
    "https://evil.example/https://www.zohoapis.com",
    "https://wwwXzohoapis.com",
    "https://zohoapis.com",
    "https://content.zohoapis.com",
    "https://www.zohoapis.cоm",  # noqa: RUF001 - the Cyrillic letter is the point
    "www.zohoapis.com",
    "ftp://127.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.256",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:",
    "http://127.0.0.1:80/x",
    "http://127.0.0.1@evil.example",
    "http://evil@127.0.0.1",
    "http://localhost.evil.example",
    "http://[::2]",
    "http://0.0.0.0",
    "http://10.0.0.1",
    "http://127.0.0.1\n",
    "http://127.0.0.1:٨٠",
    "",
    "/",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_address_that_is_not_exactly_one_of_the_vendors_is_not_allowed(tmp_path, url):
    assert not hosts.allowed(url)
    assert not hosts.is_loopback(url)
    if url and url == url.strip():
        for key in ("BULKZCRM_API_DOMAIN", "BULKZCRM_ACCOUNTS_URL"):
            with pytest.raises(ConfigurationError, match="none of the vendor's addresses"):
                load(tmp_path, {**COMPLETE, key: url})


def test_address_of_one_kind_is_not_taken_for_the_other(tmp_path):
    with pytest.raises(ConfigurationError):
        load(tmp_path, {**COMPLETE, "BULKZCRM_API_DOMAIN": "https://accounts.zoho.com"})


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://www.zohoapi.eu", "https://www.zohoapis.eu"),
        ("www.zohoapis.in", "https://www.zohoapis.in"),
        ("http://www.zohoapis.com.au:443/crm/v8", "https://www.zohoapis.com.au"),
    ],
)
def test_near_miss_of_an_address_is_guessed(tmp_path, url, meant):
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, {**COMPLETE, "BULKZCRM_API_DOMAIN": url})
    assert refused.value.cure == f"Did you mean {meant}?"


def test_password_in_a_refused_address_is_not_shown(tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, {**COMPLETE, "BULKZCRM_API_DOMAIN": "https://me:hunter2@www.zohoapis.com"})
    assert "hunter2" not in str(refused.value)


@given(st.text())
def test_only_listed_origins_are_ever_allowed(text):
    listed = {origin for centre in hosts.DATA_CENTRES for origin in (centre.accounts, *centre.apis)}
    assert hosts.allowed(text, loopback_ok=False) == (text.lower().removesuffix("/") in listed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BULKZCRM_CLIENT_ID", "two words"),
        ("BULKZCRM_CLIENT_SECRET", "line\nbreak"),
        ("BULKZCRM_REFRESH_TOKEN", "naïve-token"),
        ("BULKZCRM_ORG_ID", "1\r\nX-Evil: 1"),
        ("BULKZCRM_ORG_ID", "60001; drop"),
        ("BULKZCRM_API_VERSION", "8"),
        ("BULKZCRM_API_VERSION", "v8/../../x"),
        ("BULKZCRM_PROXY", "proxy:8080"),
        ("BULKZCRM_PROXY", "socks5://proxy:1"),
        ("BULKZCRM_PROXY", "http://proxy:99999"),
        ("BULKZCRM_PROXY", "http://proxy/path"),
        ("BULKZCRM_PROXY", "http://[half"),
    ],
)
def test_value_that_cannot_be_right_is_refused_by_its_name(tmp_path, name, value):
    with pytest.raises(ConfigurationError, match=name):
        load(tmp_path, {**COMPLETE, name: value})


def test_proxy_may_hold_a_password_which_is_never_shown(tmp_path):
    connection = load(tmp_path, {**COMPLETE, "BULKZCRM_PROXY": "http://me:p%40ssw0rd@proxy.example:8080"})
    assert connection.proxy == Secret("http://me:p%40ssw0rd@proxy.example:8080")
    assert scrub("p%40ssw0rd or p@ssw0rd") == "*** or ***"


def test_connection_never_shows_a_secret(tmp_path):
    connection = load(tmp_path, {**COMPLETE, "BULKZCRM_PROXY": "http://me:proxy-password@proxy.example:8080"})
    for shown in (repr(connection), str(connection), f"{connection.client_secret} {connection.refresh_token!r:}"):
        for secret in ("secret-of-the-environment", "token-of-the-environment", "proxy-password"):
            assert secret not in shown


def test_secret_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret("not to be written"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[eu]\nclient_idd = 'x'\n", "profile eu .*unknown setting client_idd. Did you mean client_id"),
        ("[eu]\nzzz = 'x'\n", "unknown setting zzz. Known are api_domain"),
        ("[eu]\nclient_id = true\n", "client_id of the profile eu .* is not a text"),
        ("[eu]\n[eu.client_id]\n", "client_id of the profile eu .* is not a text"),
        ("client_id = 'x'\n", "client_id stands outside a table"),
        ("[eu\n", "not valid TOML.*line 1"),
        (b"[eu]\nclient_id = '\xff'\n", "not in UTF-8"),
    ],
)
def test_profiles_that_cannot_be_followed_are_refused_by_place(tmp_path, content, words):
    path = tmp_path / "profiles.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=words):
        load(tmp_path)


def test_byte_order_mark_windows_line_ends_and_bare_numbers_are_understood(tmp_path):
    table = "\r\n".join(
        ["[eu]", *(f'{key} = "{value}"' for key, value in EU.items() if key != "org_id"), "org_id = 20001"]
    )
    (tmp_path / "profiles.toml").write_bytes(b"\xef\xbb\xbf" + table.encode())
    assert load(tmp_path).org_id == "20001"


@POSIX_ONLY
def test_profile_that_others_can_read_is_told_with_the_cure(tmp_path):
    path = write_profile(tmp_path, "eu", EU)
    assert load(tmp_path).notes == ()
    path.chmod(0o644)
    (note,) = load(tmp_path).notes
    assert f'chmod 600 "{path}"' in note


@POSIX_ONLY
def test_written_profile_is_its_owners_alone(tmp_path):
    path = write_profile(tmp_path / "new", "eu", EU)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@POSIX_ONLY
def test_link_is_replaced_and_what_it_points_at_is_left_alone(tmp_path):
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "profiles.toml").symlink_to(target)
    write_profile(tmp_path, "eu", EU)
    assert target.read_text() == ""


def test_writing_a_profile_leaves_the_others_and_their_comments_alone(tmp_path):
    path = tmp_path / "profiles.toml"
    before, after = '# mine\n[us]  # first\nclient_id = "a"\n\n', '\n# about au\n[au]\nclient_id = "c"\n'
    path.write_text(before + '["eu"] # old\nclient_id = "b"\n' + after)
    write_profile(tmp_path, "eu", {"client_id": "new", "org_id": "5"})
    assert path.read_text() == before + '[eu]\nclient_id = "new"\norg_id = "5"\n' + after
    write_profile(tmp_path, "jp", {"client_id": "d"})
    assert list(tomllib.loads(path.read_text())) == ["us", "eu", "au", "jp"]
    assert {each.name for each in tmp_path.iterdir()} == {"profiles.toml", "profiles.lock"}


def test_profile_written_in_a_way_that_cannot_be_edited_is_left_alone(tmp_path):
    path = tmp_path / "profiles.toml"
    content = 'eu = {client_id = "x"}\n'
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="cannot be changed by a program"):
        write_profile(tmp_path, "eu", EU)
    assert path.read_text() == content


@pytest.mark.parametrize(("name", "settings"), [("", EU), ("a b", EU), ("a]\n[b", EU), ("eu", {"nonsense": "x"})])
def test_profile_of_an_impossible_name_or_setting_is_not_written(tmp_path, name, settings):
    with pytest.raises(ConfigurationError):
        write_profile(tmp_path, name, settings)
    assert list(tmp_path.iterdir()) == []


def test_profile_that_cannot_be_written_says_where(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigurationError, match=r"profiles\.toml cannot be"):
        write_profile(blocked, "eu", EU)


NAMES = st.text("abcXYZ019_-", min_size=1, max_size=8)
SETTINGS = st.dictionaries(
    st.sampled_from(sorted(VARIABLES)), st.text(st.characters(codec="utf-8"), max_size=30), min_size=1
)


@given(st.lists(st.tuples(NAMES, SETTINGS), min_size=1, max_size=6))
def test_what_is_written_reads_back_whatever_it_holds(tmp_path_factory, profiles):
    folder = tmp_path_factory.mktemp("home")
    wanted = {}
    for name, settings in profiles:
        path = write_profile(folder, name, settings)
        wanted[name] = {key: value.strip() for key, value in settings.items()}
    assert tomllib.loads(path.read_bytes().decode()) == wanted
