"""Reports as files: each where it was asked for, or all in one folder that ``latest`` leads to."""

from __future__ import annotations

import os
from pathlib import Path

from scenarios.errors import WrongUsage
from scenarios.matrix import Matrix
from scenarios.report.files import write_file
from scenarios.report.html import html_report
from scenarios.report.junit import write_junit
from scenarios.report.markdown import markdown_report
from scenarios.report.matrix_html import matrix_html
from scenarios.report.run_junit import run_suites
from scenarios.report.story import Beside, Told

LATEST = "latest"


def write_html(told: Told, path: str, beside: Beside | None = None) -> None:
    """Write the page. Raises WrongUsage."""
    write_file(path, html_report(told, beside))


def write_matrix_html(matrix: Matrix, seed: int, target: str, path: str) -> None:
    """Write the page of a matrix. Raises WrongUsage."""
    write_file(path, matrix_html(matrix, seed, target))


def write_markdown(told: Told, path: str) -> None:
    """Write the summary. Raises WrongUsage."""
    write_file(path, markdown_report(told))


def write_run_junit(told: Told, path: str) -> None:
    """Write the XML. Raises WrongUsage."""
    write_junit(run_suites(told), "psp-scenarios", path)


def new_folder(reports: Path, name: str) -> Path:
    """Make a folder for one run's reports, and let ``latest`` lead to it. Raises WrongUsage."""
    folder = reports / name
    number = 1
    while folder.exists():
        number += 1
        folder = reports / f"{name}-{number}"
    try:
        folder.mkdir(parents=True)
        link = reports / f".{LATEST}-{os.getpid()}"
        link.symlink_to(folder.name, target_is_directory=True)
        link.replace(reports / LATEST)
    except OSError as problem:
        raise WrongUsage(f"cannot write into {reports}: {problem.strerror}") from problem
    return folder
