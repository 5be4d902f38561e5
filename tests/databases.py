"""Fixtures: a new, empty database on each engine in turn."""

import pytest

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL server, one for each test process."""
    pytest.importorskip("psycopg_pool", reason="psycopg is not installed", exc_type=ImportError)
    from tests.postgres_server import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres):
    """A new, empty database on PostgreSQL."""
    url = postgres.make_namespace()
    yield url
    postgres.drop_namespace(url)


@pytest.fixture(params=ENGINES)
def database_url(request, tmp_path):
    """A new, empty database, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.sqlite3"
    return request.getfixturevalue("postgres_url")
