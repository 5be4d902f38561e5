import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_sim.domain.errors import (
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
)
from psp_sim.domain.idempotency import KEY_CHARACTERS_MAX, Answer, fingerprint, parse_key, replay

PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        ('"with spaces"', "with spaces"),
        (r'"quote \" and \\ backslash"', r'quote " and \ backslash'),
        ("a", "a"),
        ("a" * KEY_CHARACTERS_MAX, "a" * KEY_CHARACTERS_MAX),
        ('"' + "a" * KEY_CHARACTERS_MAX + '"', "a" * KEY_CHARACTERS_MAX),
    ],
)
def test_a_key_is_taken_bare_or_as_a_structured_field_string(header, key):
    assert parse_key(header) == key


def test_the_bare_and_the_quoted_form_are_the_same_key():
    assert parse_key('"abc"') == parse_key("abc")


@pytest.mark.parametrize(
    "header",
    [
        "",
        '""',
        '"open',
        'open"',
        'a"b',
        "two words",
        "a\\b",
        "é",
        '"é"',
        "tab\there",
        '"a" ',
        "\x7f",
        r'"bad \n escape"',
        '"a""b"',
        "a" * 256,
        '"' + "a" * 256 + '"',
    ],
)
def test_a_malformed_key_is_refused_with_the_form_it_should_have(header):
    with pytest.raises(IdempotencyKeyMalformed, match="1 to 255 printable ASCII"):
        parse_key(header)


def test_a_missing_key_is_refused_with_what_to_do():
    with pytest.raises(IdempotencyKeyMissing, match="once per operation and kept for every retry"):
        parse_key(None)


@given(st.text(PRINTABLE, min_size=1, max_size=KEY_CHARACTERS_MAX))
def test_any_printable_key_survives_quoting(key):
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_key(f'"{escaped}"') == key


def test_requests_are_the_same_only_if_method_path_and_body_are():
    same = fingerprint("POST", "/v1/payments", b"{}")
    assert same == fingerprint("POST", "/v1/payments", b"{}")
    others = [
        fingerprint("PUT", "/v1/payments", b"{}"),
        fingerprint("POST", "/v1/payment", b"s{}"),
        fingerprint("POST", "/v1/payments", b"{ }"),
    ]
    assert same not in others


def test_a_repeat_gets_the_first_answer_marked_as_replayed():
    assert replay("f", Answer(201, "body"), "f") == Answer(201, "body", replayed=True)


def test_another_request_under_the_same_key_is_refused():
    with pytest.raises(IdempotencyKeyReused, match="make a new key for a new operation"):
        replay("f", Answer(201, "body"), "g")
