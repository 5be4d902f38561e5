"""The words of the command line, one file each: ``add_to`` declares, ``_work`` carries out."""

from scenarios.commands import list_all, matrix, probe, run

COMMANDS = (list_all, run, matrix, probe)

__all__ = ["COMMANDS"]
