"""Faults of the network as small values: a message goes in, a verdict comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

Direction = Literal["request", "response", "disconnect"]


@dataclass(frozen=True, slots=True)
class Message:
    """What a rule may look at. An answer's sender is the host that was asked.

    A ``disconnect`` is a client that gave up and goes away; it asks for nothing.
    """

    sender: str
    receiver: str
    direction: Direction
    method: str
    path: str
    key: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Let it through."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Let it through ``by_s`` seconds later."""

    by_s: float


@dataclass(frozen=True, slots=True)
class Lose:
    """The connection stands but this message never arrives: the client's read timeout decides."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No connection comes about and nobody says so: the client waits for its connect timeout.

    For a response, which has its connection already, the same as Lose.
    """


Verdict = Pass | Delay | Lose | Unreachable


class Rule(Protocol):
    """Decides about messages; the first verdict other than Pass and Delay wins, delays add up."""

    def on_message(self, message: Message) -> Verdict:
        """Return the verdict for one message as it leaves its sender."""
        ...


@dataclass(frozen=True, slots=True)
class Partition:
    """Silence from ``sender`` to ``receiver``, and back unless ``one_way``; None means everybody.

    Cutting only the way back means: it did happen, and the one who asked never hears of it.
    """

    sender: str | None
    receiver: str | None
    one_way: bool = False

    def on_message(self, message: Message) -> Verdict:
        """Return Unreachable for a message that would cross."""
        there = _matches(self.sender, message.sender) and _matches(self.receiver, message.receiver)
        back = _matches(self.receiver, message.sender) and _matches(self.sender, message.receiver)
        return Unreachable() if there or (back and not self.one_way) else Pass()


@dataclass(frozen=True, slots=True)
class AddedLatency:
    """Every message from ``sender`` to ``receiver`` (None: any) takes ``by_s`` seconds longer."""

    by_s: float
    sender: str | None = None
    receiver: str | None = None

    def on_message(self, message: Message) -> Verdict:
        """Return the delay for a message that matches."""
        matches = _matches(self.sender, message.sender) and _matches(
            self.receiver, message.receiver
        )
        return Delay(self.by_s) if matches else Pass()


@dataclass(slots=True)
class Rules:
    """The rules in force, in order of installation."""

    active: list[Rule] = field(default_factory=list)

    def decide(self, message: Message) -> Verdict:
        """Return what happens to this message under all rules together."""
        delay_s = 0.0
        for rule in self.active:
            verdict = rule.on_message(message)
            if isinstance(verdict, Lose | Unreachable):
                return verdict
            if isinstance(verdict, Delay):
                delay_s += verdict.by_s
        return Delay(delay_s) if delay_s else Pass()


def _matches(wanted: str | None, name: str) -> bool:
    return wanted is None or wanted == name
