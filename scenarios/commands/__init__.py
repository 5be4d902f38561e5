"""The words of the command line, one file each: ``add_to`` declares, ``_work`` carries out."""

from scenarios.commands import compare, demo, explore, list_all, matrix, probe, replay, run

COMMANDS = (list_all, run, matrix, explore, replay, probe, compare, demo)

__all__ = ["COMMANDS"]
