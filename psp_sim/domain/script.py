"""``metadata.sim``: faults that a payment asks for itself, from any client in any language.

``lose_response|ok`` loses the answer to the first request and answers the second. The nth word acts
on the nth attempt of whatever it is on (the request, or the webhook); scripts joined by ``;`` run
side by side. Fields stand in brackets: ``delay(by=5s)|ok``, ``error(status=500,when=after)``.
"""

from __future__ import annotations

import re

from psp_sim.domain.errors import InvalidFault
from psp_sim.domain.faults import Fault, parse_fault

OK = "ok"
_WORD = re.compile(r"([a-z_]+)(?:\(([^()]*)\))?")


def parse_script(text: str) -> list[Fault]:
    """Return the faults that the script asks for. Raises InvalidFault."""
    return [
        fault
        for script in text.split(";")
        for attempt, word in enumerate(script.split("|"), start=1)
        for fault in _parse_word(word.strip(), attempt)
    ]


def _parse_word(word: str, attempt: int) -> list[Fault]:
    if word == OK:
        return []
    parts = _WORD.fullmatch(word)
    if parts is None:
        raise InvalidFault(
            f"{word!r} in metadata.sim is not understood: write faults or ok between |, "
            "like lose_response|ok or delay(by=5s)|ok"
        )
    document: dict[str, object] = {"kind": parts[1]}
    for pair in filter(None, (parts[2] or "").split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key in document:
            raise InvalidFault(f"{key!r} stands twice in {word!r} of metadata.sim")
        document[key] = _value(value)
    fault = parse_fault(document)
    if fault.on == "provider":
        raise InvalidFault(f"{fault.kind} is on the provider: a payment cannot ask for it")
    if fault.on in ("webhook", "api") and "attempt" not in document:
        fault = parse_fault(document | {"attempt": attempt})
    return [fault]


def _value(text: str) -> object:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
