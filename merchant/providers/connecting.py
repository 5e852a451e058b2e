"""What a person needs to connect an account, and what to click at the provider.

Each provider's folder has its own `setup`; pages walk over it. The words name what
stands in the provider's dashboard, so they change when that does.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Stands in a step's code for the connection's intake URL.
URL = "{intake_url}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a connection is given.

    `name`: the argument of connections.open_connection. `long`: several lines are
    usual. `secret`: it is sealed and never shown again. `example`: how it looks.
    """

    name: str
    label: str
    hint: str
    example: str = ""
    long: bool = False
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do at the provider.

    `code` is text to copy, `names` what to tick there (its events), and
    `unfold`: what to call the code where most people do not need it.
    """

    words: str
    code: str = ""
    names: tuple[str, ...] = ()
    unfold: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """How an account of one provider is connected.

    needs    what to have at hand: the rest of a sentence that begins "You need"
    key      what proves its deliveries: the first of what is asked for
    asks     everything else, the likeliest first
    steps    what to do there; the intake URL has a place of its own above them
    notes    what is good to know afterwards
    per_event  the provider gives every subscription to an event a key of its own
    """

    needs: str
    key: Asked
    asks: tuple[Asked, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    per_event: bool = False

    def asked(self, name: str) -> Asked | None:
        """What is said about one thing; None if the provider has no use for it."""
        return next((one for one in (self.key, *self.asks) if one.name == name), None)
