"""A process ends with the status that it is told, and with all done that was left for its end."""

from __future__ import annotations

import os
import subprocess
import sys

_ENDS = """
import atexit, sys
from scenarios.process_end import end_process

atexit.register(print, "tidied up")
print("worked", end=", ")
sys.stderr.write("told")
class Stays:
    def __del__(self):
        print("Python was taken apart")
stays = Stays()
end_process(5)
"""


def test_what_was_said_is_heard_and_what_was_left_is_done_but_python_is_not_taken_apart() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (5, "worked, tidied up\n", "told")


def test_a_reader_who_is_gone_changes_no_status() -> None:
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", _ENDS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=buffered) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 5
