"""JUnit's XML, as CI systems read it: a suite of cases; a case passed, failed or was skipped.

Source of the shape: the schema of the Jenkins xUnit plugin (junit-10.xsd), which GitLab, GitHub
actions, Azure and Jenkins all read. ``skipped`` is the nearest that JUnit has to "unproven".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from scenarios.report.files import write_file

# What XML 1.0 cannot hold, not even escaped.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One test. ``failure`` and ``skipped`` are one line each, ``details`` any text."""

    name: str
    seconds: float = 0.0
    failure: str | None = None
    skipped: str | None = None
    details: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that belong together; the name stands before each of theirs."""

    name: str
    cases: Sequence[Case]


def write_junit(suites: Sequence[Suite], name: str, path: str) -> None:
    """Write a file. Raises WrongUsage."""
    write_file(path, junit_text(suites, name))


def junit_text(suites: Sequence[Suite], name: str) -> str:
    """Return the whole document."""
    root = ElementTree.Element("testsuites", _counts(name, [c for s in suites for c in s.cases]))
    for suite in suites:
        counts = _counts(suite.name, suite.cases)
        counts["skipped"] = str(sum(case.skipped is not None for case in suite.cases))
        node = ElementTree.SubElement(root, "testsuite", counts)
        for case in suite.cases:
            _add(node, suite.name, case)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _counts(name: str, cases: Sequence[Case]) -> dict[str, str]:
    return {
        "name": _clean(name),
        "tests": str(len(cases)),
        "failures": str(sum(case.failure is not None for case in cases)),
        "errors": "0",
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _add(suite: ElementTree.Element, suite_name: str, case: Case) -> None:
    node = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "classname": _clean(suite_name),
            "name": _clean(case.name),
            "time": f"{case.seconds:.3f}",
        },
    )
    if case.failure is not None:
        attributes = {"message": _clean(case.failure), "type": "broken"}
        ElementTree.SubElement(node, "failure", attributes).text = _clean(case.details)
    elif case.skipped is not None:
        ElementTree.SubElement(node, "skipped", {"message": _clean(case.skipped)})


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("�", text)
