"""Who is to be told what now (pure).

A need is told when it begins and when it has ended, not for each item and not again while it
lasts; only the next step is told then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.base import SHANGHAI
from schemas.contact import Contact, ContactRole

#: Items that are told of a need; the others are counted.
MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a need, and whose it is."""

    words: str
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person while it lasts."""

    key: str
    title: str
    roles: frozenset[ContactRole]
    lines: tuple[Line, ...]
    advice: str = ""
    urgent: bool = False  #: told in quiet hours, too
    ends_silently: bool = False  #: nobody is told that it is over

    def lines_of(self, contact: Contact) -> tuple[Line, ...]:
        """Return the items that are for a contact."""
        if not self.roles & contact.roles:
            return ()
        mine = contact.authorities
        if not mine:
            return self.lines
        return tuple(one for one in self.lines if one.authority is None or one.authority in mine)


@dataclass(frozen=True, slots=True)
class KnownNeed:
    """A need that somebody was told of, or will be."""

    key: str
    title: str
    since: datetime
    silent: bool  #: nobody is told that it is over
    told: frozenset[str]  #: names of contacts


@dataclass(frozen=True, slots=True)
class Message:
    """What one contact is told now; `over`: the need has ended."""

    key: str
    contact: Contact
    title: str
    text: str
    over: bool = False


def begun(
    present: Iterable[Need],
    known: Mapping[str, KnownNeed],
    contacts: Sequence[Contact],
    now: datetime,
    escalate_after: timedelta,
) -> Iterator[Message]:
    """Yield what is told of the needs that are present."""
    for one in present:
        notice = known.get(one.key)
        told = notice.told if notice else frozenset()
        lasts = now - notice.since if notice else timedelta()
        for contact in contacts:
            waits = lasts < escalate_after * (contact.step - 1)
            if contact.name in told or waits or (_is_quiet(contact, now) and not one.urgent):
                continue
            if lines := one.lines_of(contact):
                yield Message(one.key, contact, one.title, _text(lines, one.advice))


def concerned_no_more(
    present: Iterable[Need], known: Mapping[str, KnownNeed], contacts: Sequence[Contact]
) -> Iterator[tuple[str, str]]:
    """Yield key and name of those who were told of what is there still, and has nothing of theirs.

    What comes of theirs later is told anew.
    """
    for one in present:
        told = known[one.key].told if one.key in known else frozenset()
        for contact in contacts:
            if contact.name in told and not one.lines_of(contact):
                yield one.key, contact.name


def ended(
    present: Iterable[Need],
    known: Mapping[str, KnownNeed],
    contacts: Sequence[Contact],
    now: datetime,
) -> Iterator[Message]:
    """Yield what is told of the needs that are over, to those who knew of them."""
    here = {one.key for one in present}
    for key, notice in known.items():
        if key in here or notice.silent:
            continue
        text = f"始于 {notice.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，现已恢复。"
        for contact in contacts:
            if contact.name in notice.told and not _is_quiet(contact, now):
                yield Message(key, contact, f"已恢复：{notice.title}", text, over=True)


def _is_quiet(contact: Contact, now: datetime) -> bool:
    return contact.quiet is not None and contact.quiet.holds(now.astimezone(SHANGHAI).time())


def _text(lines: Sequence[Line], advice: str) -> str:
    shown = [f"- {one.words}" for one in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"…… 共 {len(lines)} 项")
    return "\n".join([*shown, advice] if advice else shown)
