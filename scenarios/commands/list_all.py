"""``list``: scenarios, invariants, mutants and faults."""

from __future__ import annotations

import argparse

from scenarios.commands.options import add_json
from scenarios.report import documents, terminal
from scenarios.scenario_files import select


def add_to(command: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_json(command)
    command.set_defaults(work=_work)


def _work(options: argparse.Namespace) -> int:
    scenarios = select([])
    if options.json:
        documents.write_document(documents.list_document(scenarios), options.json)
    if options.json != documents.STANDARD_OUTPUT:
        terminal.show_list(terminal.make_console(), scenarios)
    return 0
