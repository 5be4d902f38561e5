"""Reports as files: whether they can be written is looked at before there is something to write."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios.errors import WrongUsage

STANDARD_OUTPUT = "-"


def check_file(path: str | None) -> None:
    """Raise WrongUsage where no file can be written; what is there already stays as it is."""
    if path is None or path == STANDARD_OUTPUT:
        return
    with _told(path):
        try:
            mode = Path(path).stat().st_mode
        except FileNotFoundError:
            tempfile.TemporaryFile(dir=Path(path).parent).close()
            return
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISREG(mode):
            Path(path).open("ab").close()


def check_folder(path: str) -> None:
    """Raise WrongUsage where no files can be written into such a folder; it is not made yet."""
    folder = Path(path)
    with _told(path):
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        tempfile.TemporaryFile(dir=there).close()


def write_file(path: str | Path, text: str) -> None:
    """Write a file. Raises WrongUsage.

    The name of a file can have bytes that are no letters; they are written as what JSON reads.
    """
    with _told(path):
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")


def replace_file(path: str, text: str) -> None:
    """Write a file of which, at any time, all is there or nothing. Raises WrongUsage."""
    whole = Path(path).resolve()
    if whole.exists() and not whole.is_file():
        write_file(path, text)
        return
    part = whole.with_name(f".psp-scenarios-{os.getpid()}")
    try:
        with _told(path):
            part.write_text(text, encoding="utf-8")
            part.replace(whole)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _told(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise WrongUsage(f"cannot write {path}: {problem.strerror}") from problem
