"""JUnit's XML keeps to the schema that CI systems check, whatever the texts in it are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from scenarios.errors import WrongUsage
from scenarios.report.junit import Case, Suite, junit_text, write_junit
from tests.scenarios.report.junit_rules import broken_rules

SUITES = [
    Suite(
        "calm & <quiet>",
        [
            Case("held", 1234.5),
            Case("broken", failure='said "no" & <left>\x00', details="first\nsecond ☃ \x1b[0m"),
            Case("unproven", skipped="never at stake"),
        ],
    ),
    Suite("empty", []),
]


def test_a_document_breaks_no_rule_of_the_schema() -> None:
    assert broken_rules(junit_text(SUITES, "all of it")) == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (' tests="3"', "", "testsuite lacks tests"),
        (' tests="3" f', ' tests="4" f', "says tests=4 and has 3"),
        ('time="1234.500" s', 'time="soon" s', "soon is no time"),
        ("<skipped message", "<ignored message", "ignored is no element of JUnit"),
        ('classname="calm', 'verdict="calm', "testcase may not have verdict"),
        (">first", "><testcase name='x'/>first", "failure may not hold testcase"),
    ],
)
def test_the_rules_can_be_broken(good: str, bad: str, said: str) -> None:
    text = junit_text(SUITES[:1], "all of it")
    spoilt = text.replace(good, bad)
    assert spoilt != text
    assert any(said in rule for rule in broken_rules(spoilt)), broken_rules(spoilt)


def test_texts_arrive_as_they_were_but_for_what_xml_cannot_hold() -> None:
    root = ElementTree.fromstring(junit_text(SUITES, "all of it"))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == 'said "no" & <left>�'
    assert failure.text == "first\nsecond ☃ �[0m"
    assert root.attrib == {
        "name": "all of it",
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "time": "1234.500",
    }


def test_a_file_that_cannot_be_written_is_told(tmp_path) -> None:
    with pytest.raises(WrongUsage, match="cannot write"):
        write_junit(SUITES, "x", str(tmp_path / "no" / "folder.xml"))
