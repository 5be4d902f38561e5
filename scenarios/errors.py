"""What can keep the harness from a verdict.

HarnessError
├── WrongUsage    the command, a scenario file or an option is not right   exit status 2
├── Unreachable   the service under test could not be started or read      exit status 3
└── ServiceBroke  one of our own services raised an exception: a bug of ours
"""

from __future__ import annotations


class HarnessError(Exception):
    """Base of all; its text is one line that tells the reader what to do."""


class WrongUsage(HarnessError):
    """The command, a scenario file or an option is not right."""


class Unreachable(HarnessError):
    """The service under test could not be started or read."""


class ServiceBroke(HarnessError):
    """One of our own services raised an exception that it did not handle: a bug of ours."""
