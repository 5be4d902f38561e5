"""The rules of JUnit's XML that CI systems check, as far as a document can break them.

Source: junit-10.xsd of the Jenkins xUnit plugin. There is no package that carries the schema, so
its rules stand here as data: for each element its attributes (those it must have, those it may
have) and the elements that it may hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


@dataclass(frozen=True)
class Rule:
    needed: frozenset[str]
    allowed: frozenset[str]
    children: frozenset[str]
    has_text: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RESULT = Rule(_words(""), _words("type message"), _words(""), has_text=True)
RULES = {
    "testsuites": Rule(_words(""), _words("name time tests failures errors"), _words("testsuite")),
    "testsuite": Rule(
        _words("name tests failures errors"),
        _words("group time skipped timestamp hostname id package file log url"),
        _words("testsuite properties testcase system-out system-err"),
    ),
    "testcase": Rule(
        _words("name"),
        _words("time classname group"),
        _words("skipped error failure system-out system-err"),
    ),
    "failure": _RESULT,
    "error": _RESULT,
    "skipped": _RESULT,
}


def broken_rules(text: str) -> list[str]:
    """Return a sentence for each rule that a document breaks."""
    root = ElementTree.fromstring(text)
    wrong = [] if root.tag in ("testsuites", "testsuite") else [f"the root is {root.tag}"]
    for node in root.iter():
        wrong += _of_node(node)
    for suite in root.iter("testsuite"):
        wrong += _of_counts(suite)
    return wrong


def _of_node(node: ElementTree.Element) -> list[str]:
    rule = RULES.get(node.tag)
    if rule is None:
        return [f"{node.tag} is no element of JUnit"]
    given = set(node.attrib)
    wrong = [f"{node.tag} lacks {name}" for name in rule.needed - given]
    wrong += [f"{node.tag} may not have {name}" for name in given - rule.needed - rule.allowed]
    wrong += [f"{node.tag} may not hold {c.tag}" for c in node if c.tag not in rule.children]
    if not rule.has_text and (node.text or "").strip():
        wrong.append(f"{node.tag} may hold no text")
    if node.tag != "testcase" and not _TIME.fullmatch(node.get("time", "")):
        wrong.append(f"{node.get('time')} is no time")
    return wrong


def _of_counts(suite: ElementTree.Element) -> list[str]:
    counted = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    return [
        f"{suite.get('name')} says {name}={suite.get(name)} and has {number}"
        for name, number in counted.items()
        if suite.get(name, "0") != str(number)
    ]
