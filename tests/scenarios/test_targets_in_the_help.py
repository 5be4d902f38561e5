"""The help of a command offers the targets that it takes, and no other."""

from __future__ import annotations

import pytest

from scenarios.__main__ import main


@pytest.mark.parametrize(
    ("command", "takes_files"),
    [("run", True), ("compare", False), ("matrix", False)],
)
def test_a_file_is_offered_as_a_target_where_it_is_taken(
    command: str, takes_files: bool, capsys
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "sim (default)" in said
    assert (".toml file that describes your own service" in said) == takes_files
