"""Child processes: started together, started again when they die, ended together."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A child that lived this long is healthy: its next death starts at the first pause.
HEALTHY_AFTER = 60.0
PR_SET_PDEATHSIG = 1
#: Opened here, because between fork and exec nothing may be loaded.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(slots=True)
class Child:
    """One command to keep running."""

    name: str
    command: Sequence[str]
    folder: str
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    due: float = 0.0
    pause: float = FIRST_PAUSE

    def start(self) -> None:
        self.born = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            cwd=self.folder,
            # Its own group, so that its own children end with it.
            start_new_session=True,
            preexec_fn=end_with_parent,
        )

    def look_after(self) -> None:
        """Starts it again when it has died, each time later while it keeps dying."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
        elif (status := self.process.poll()) is not None:
            if now - self.born > HEALTHY_AFTER:
                self.pause = FIRST_PAUSE
            logger.warning(
                "%s ended with status %s; it starts again in %.1f s.",
                self.name, status, self.pause,
            )  # fmt: skip
            self.sweep_up()
            self.process, self.due = None, now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def sweep_up(self) -> None:
        """Ends what it started and did not end itself."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def keep_running(
    children: Sequence[Child], stop: threading.Event, *, seconds_to_end: float
) -> None:
    """Runs the children until `stop` is set; then they have so long to end."""
    try:
        while not stop.is_set():
            for child in children:
                child.look_after()
            stop.wait(0.2)
    finally:
        end(children, seconds_to_end)


def end(children: Sequence[Child], seconds: float) -> None:
    """Asks every child to end, and ends those that do not within `seconds`."""
    alive = [child.process for child in children if child.process]
    for process in alive:
        process.terminate()
    last = time.monotonic() + seconds
    for process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, last - time.monotonic()))
    for child in children:
        child.sweep_up()
    for process in alive:
        process.wait()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set, however often they come."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def ask(*_: object) -> None:
        # Once: a second signal inside set() would wait for the lock that the first
        # holds. And in a thread: the main one may hold it too, being in wait().
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        _thread.start_new_thread(stop.set, ())

    for number in numbers:
        signal.signal(number, ask)
    return stop


def end_with_parent() -> None:
    """Asks the kernel to end this process when the one that started it dies.

    Without it a `kill -9` of the supervisor leaves a worker and an occupied port.
    Linux only; elsewhere nothing happens.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
