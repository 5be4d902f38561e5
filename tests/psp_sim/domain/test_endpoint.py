import pytest

from psp_sim.domain.endpoint import (
    PREVIOUS_SECRETS_MAX,
    URL_CHARACTERS_MAX,
    Endpoint,
    PreviousSecret,
    check_url,
)
from psp_sim.domain.errors import InvalidUrl


def endpoint(**changes):
    usual = {
        "id": "we_1",
        "url": "http://127.0.0.1/",
        "secret": "whsec_new",
        "previous": (PreviousSecret("whsec_old", 100.0),),
        "events": ("*",),
        "status": "enabled",
        "created_at": 0.0,
    }
    return Endpoint(**usual | changes)


def test_the_previous_secret_signs_until_its_time_is_over():
    assert endpoint().secrets_at(99.9) == ("whsec_new", "whsec_old")
    assert endpoint().secrets_at(100.0) == ("whsec_new",)
    assert endpoint(previous=()).secrets_at(0.0) == ("whsec_new",)


def test_every_secret_signs_until_the_end_that_was_promised_for_it():
    twice = endpoint().with_new_secret("whsec_newer", 10.0, 20.0)
    assert twice.secrets_at(10.0) == ("whsec_newer", "whsec_new", "whsec_old")
    assert twice.secrets_at(30.0) == ("whsec_newer", "whsec_old")
    assert twice.secrets_at(100.0) == ("whsec_newer",)
    assert twice.previous_until == 100.0


def test_a_secret_that_ends_at_once_leaves_older_ones_what_they_were_promised():
    leaked = endpoint().with_new_secret("whsec_newer", 10.0, 0.0)
    assert leaked.secrets_at(10.0) == ("whsec_newer", "whsec_old")
    assert leaked.previous_until == 100.0


def test_when_an_overlap_ended_is_shown_until_the_next_rotation():
    assert endpoint(previous=()).previous_until is None
    at_once = endpoint(previous=()).with_new_secret("whsec_newer", 10.0, 0.0)
    assert at_once.previous_until == 10.0
    assert at_once.with_new_secret("whsec_newest", 20.0, 5.0).secrets_at(20.0) == (
        "whsec_newest",
        "whsec_newer",
    )


def test_of_too_many_secrets_the_oldest_ends_and_none_that_ended_by_itself_takes_its_place():
    many = endpoint()
    for number in range(PREVIOUS_SECRETS_MAX - 1):
        many = many.with_new_secret(f"whsec_{number}", 10.0, 20.0)
    assert many.secrets_at(10.0)[-1] == "whsec_old"
    assert many.with_new_secret("whsec_last", 10.0, 0.0).secrets_at(10.0)[-1] == "whsec_old"
    assert many.with_new_secret("whsec_last", 30.0, 20.0).secrets_at(30.0)[-1] == "whsec_old"
    too_many = many.with_new_secret("whsec_last", 10.0, 20.0)
    assert len(too_many.secrets_at(10.0)) == 1 + PREVIOUS_SECRETS_MAX
    assert too_many.secrets_at(10.0)[-1] == "whsec_new"


def test_an_endpoint_wants_all_events_or_those_it_names():
    assert endpoint().wants("payment.failed")
    named = endpoint(events=("payment.succeeded",))
    assert named.wants("payment.succeeded")
    assert not named.wants("payment.failed")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8081/webhooks/psp",
        "http://localhost:3000/",
        "https://10.1.2.3/x?y=z",
        "http://192.168.0.7",
        "http://[::1]:8081/hooks",
        "http://[fd00::1]/hooks",
        "http://shop:8081/webhooks/psp",
        "http://host.docker.internal:3000/hook",
    ],
)
def test_loopback_private_addresses_and_names_may_be_called(url):
    assert check_url(url, allow_public=False) == url


def test_a_public_address_may_be_called_only_if_allowed():
    with pytest.raises(InvalidUrl, match="it calls loopback and private addresses"):
        check_url("http://8.8.8.8/hook", allow_public=False)
    assert check_url("http://8.8.8.8/hook", allow_public=True)
    with pytest.raises(InvalidUrl):
        check_url("http://[2001:4860:4860::8888]/", allow_public=False)


@pytest.mark.parametrize("allow_public", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "0251.0376.0251.0376",
        "169.254.169.254.",
    ],
)
def test_cloud_metadata_is_never_called_however_its_address_is_written(host, allow_public):
    with pytest.raises(InvalidUrl):
        check_url(f"http://{host}/latest/meta-data", allow_public=allow_public)


def test_a_public_address_in_other_clothes_is_still_public():
    for host in ("134744072", "[::ffff:8.8.8.8]", "8.8.2056"):
        with pytest.raises(InvalidUrl):
            check_url(f"http://{host}/", allow_public=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "ftp://127.0.0.1/",
        "http://",
        "http:///hook",
        "//127.0.0.1/",
        "http://[::1/hook",
        "http://[bad]/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:port/",
        "http://a b/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\n",
        "http://127.0.0.1/\x00",
        "http://é/",
    ],
)
def test_what_is_no_url_is_refused_with_an_example(url):
    with pytest.raises(InvalidUrl, match="must be like http://127"):
        check_url(url, allow_public=True)


@pytest.mark.parametrize("url", [None, 7, ["http://127.0.0.1/"], "http://127.0.0.1/" + "a" * 2048])
def test_a_url_is_a_text_of_bounded_length(url):
    with pytest.raises(InvalidUrl, match=f"a text of at most {URL_CHARACTERS_MAX} characters"):
        check_url(url, allow_public=False)


@pytest.mark.parametrize("url", ["http://user@127.0.0.1/", "http://user:pass@127.0.0.1/"])
def test_a_url_carries_no_password(url):
    with pytest.raises(InvalidUrl, match="user name or password"):
        check_url(url, allow_public=False)
