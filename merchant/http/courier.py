"""Many calls at once from a thread of their own: whoever gives them goes on meanwhile.

curl lets go of the interpreter while it writes and reads, and so does the database's
client while it waits. So letters are under way while the next ones are claimed and what
came of the last ones is noted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from merchant.http.exchange import Trouble, header_lines
from merchant.http.many import NOTHING, Ended, Many, Post

logger = logging.getLogger(__name__)

#: What waits in a lane for longer comes back without having been begun, seconds.
LONGEST_WAIT = 3.0
#: So many that have ended are worth waking the other thread for; fewer are taken when
#: it looks by itself, after so many seconds.
CROWD, LULL = 64, 0.02
#: With nothing to do the thread looks around this often, seconds.
LOOK = 60.0


@dataclass(slots=True)
class _Given:
    """A post, its header lines, and when it was given."""

    post: Post
    lines: list[str]
    at: float


@dataclass(slots=True)
class _Lane:
    under_way: int = 0
    waiting: deque[_Given] = field(default_factory=deque)


class Courier:
    """A thread with a `Many`. Its methods are for one thread only, the giver's.

    `at_once`: so many posts of a lane (`Post.lane`) are under way at the same time; the
    others wait in the order in which they were given. When one ends in any other way
    than well, or when they have waited too long, those that wait come back with
    `Ended.begun` false: their giver decides anew.
    `len()`: how many were given and have not come back.
    """

    def __init__(self, at_once: int) -> None:
        self._many = Many()
        self._at_once = at_once
        self._lanes: dict[Hashable, _Lane] = {}
        self._given: deque[_Given] = deque()
        self._over: deque[Ended] = deque()
        self._heard = threading.Event()
        self._closing = False
        self._failed: BaseException | None = None
        self._out = 0
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return self._out

    def is_alive(self) -> bool:
        """Not after an error, nor in a process that was forked from this one."""
        return self._thread.is_alive()

    def begin(self, post: Post) -> None:
        """Gives it a call to make. Raises ValueError for a header that cannot be
        sent."""
        given = _Given(post, header_lines(post.headers), time.monotonic())
        self._out += 1
        self._given.append(given)

    def ended(self, within: float) -> list[Ended]:
        """Sends off what was given; what has come back, waiting for it at most so many
        seconds. Raises whatever went wrong in the thread."""
        if self._given:
            self._many.wake()
        if not self._over:
            self._heard.wait(min(within, LULL))
        self._heard.clear()
        if self._failed is not None:
            raise self._failed
        over = [self._over.popleft() for _ in range(len(self._over))]
        self._out -= len(over)
        return over

    def close(self) -> None:
        """Ends everything under way and every connection."""
        self._closing = True
        if self._thread.is_alive():
            self._many.wake()
            self._thread.join()
        self._many.close()

    # ------------------------------------------------------------------- in the thread
    def _run(self) -> None:
        try:
            while not self._closing:
                while self._given:
                    self._take(self._given.popleft())
                for ended in self._many.ended(LOOK):
                    self._give_back(ended)
                if len(self._over) >= CROWD or not len(self._many):
                    self._heard.set()
        except BaseException as error:  # told to the other thread, which raises it
            self._failed = error
            self._heard.set()

    def _take(self, given: _Given) -> None:
        lane = self._lanes.setdefault(given.post.lane, _Lane())
        lane.waiting.append(given)
        if lane.under_way < self._at_once:
            self._go_on(given.post.lane, lane)

    def _give_back(self, ended: Ended) -> None:
        self._over.append(ended)
        lane = self._lanes[ended.lane]
        lane.under_way -= 1
        if ended.is_well:
            self._go_on(ended.lane, lane)
        else:
            self._turn_back(ended.lane, lane)

    def _go_on(self, name: Hashable, lane: _Lane) -> None:
        if not lane.waiting or time.monotonic() - lane.waiting[0].at > LONGEST_WAIT:
            self._turn_back(name, lane)
            return
        given = lane.waiting.popleft()
        lane.under_way += 1
        try:
            self._many.begin(given.post, given.lines)
        except Exception as error:  # one bad letter must not end all the others' run
            logger.exception("A call could not be begun")
            words = f"the call could not be made ({type(error).__name__})"
            trouble = Trouble("connection", words, unsent=True)
            self._give_back(Ended(given.post.tag, NOTHING, trouble, lane=name))

    def _turn_back(self, name: Hashable, lane: _Lane) -> None:
        """Those that wait are given back as they are; an idle lane is forgotten."""
        for given in lane.waiting:
            self._over.append(Ended(given.post.tag, NOTHING, lane=name, begun=False))
        lane.waiting.clear()
        if not lane.under_way:
            del self._lanes[name]
