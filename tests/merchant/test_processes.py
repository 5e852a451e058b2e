"""Asking a process to end: one signal or many, it ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
from merchant import processes
stop = processes.stop_on_signals()
print("ready", flush=True)
while not stop.wait(0.0005):
    pass
"""


@pytest.mark.parametrize("_again", range(5))
def test_a_storm_of_signals_still_ends_it(_again: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        for _ in range(50):
            child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.stdout.close()
