"""Who is told what: once when it begins, the next step when it lasts, once when it is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.needs import (
    MOST_LINES,
    KnownNeed,
    Line,
    Message,
    Need,
    begun,
    concerned_no_more,
    ended,
)
from schemas.base import SHANGHAI
from schemas.contact import Contact, ContactRole

NOON = datetime(2026, 10, 12, 12, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 10, 12, 23, tzinfo=SHANGHAI)
TWO_HOURS = timedelta(hours=2)


def contact(name: str, **given: Any) -> Contact:
    return Contact.model_validate({"name": name, "roles": ["clerk"], "urls": ["json://h"], **given})


def need(*words: str, **given: Any) -> Need:
    lines = tuple(Line(word) for word in words or ("一件",))
    return Need("overdue", "有报送已超期", frozenset({ContactRole.CLERK}), lines, **given)


def notice(*told: str, since: datetime = NOON, silent: bool = False) -> dict[str, KnownNeed]:
    return {"overdue": KnownNeed("overdue", "有报送已超期", since, silent, frozenset(told))}


def names(messages: Sequence[Message]) -> list[str]:
    return [one.contact.name for one in messages]


ZHANG, LI, WANG = contact("张三"), contact("李四", step=2), contact("王五", roles=["operator"])
QUIET = contact("赵六", quiet={"begin": "22:00", "end": "07:00"})


def test_only_those_of_the_role_are_told_and_only_once() -> None:
    everybody = [ZHANG, LI, WANG]

    first = list(begun([need()], {}, everybody, NOON, TWO_HOURS))
    again = list(begun([need()], notice("张三"), everybody, NOON, TWO_HOURS))

    assert (names(first), names(again)) == (["张三"], [])
    assert first[0].text == "- 一件"


def test_what_lasts_is_told_to_the_next_step() -> None:
    later = NOON + TWO_HOURS
    before, after = (
        list(begun([need()], notice("张三"), [ZHANG, LI], at, TWO_HOURS))
        for at in (later - timedelta(seconds=1), later)
    )

    assert (names(before), names(after)) == ([], ["李四"])


def test_in_quiet_hours_only_what_is_urgent_is_told_and_the_rest_when_they_are_over() -> None:
    urgent = list(begun([need(urgent=True)], {}, [QUIET], NIGHT, TWO_HOURS))
    waits = list(begun([need()], {}, [QUIET], NIGHT, TWO_HOURS))
    morning = NIGHT + timedelta(hours=8)
    told = list(begun([need()], notice(since=NIGHT), [QUIET], morning, TWO_HOURS))

    assert (names(urgent), names(waits), names(told)) == (["赵六"], [], ["赵六"])
    assert list(ended([], notice("赵六"), [QUIET], NIGHT)) == []
    assert names(list(ended([], notice("赵六"), [QUIET], morning))) == ["赵六"]


def test_that_it_is_over_is_told_to_those_who_knew_of_it() -> None:
    over = list(ended([], notice("张三"), [ZHANG, LI], NOON + TWO_HOURS))

    assert names(over) == ["张三"]
    assert over[0].over
    assert over[0].title == "已恢复：有报送已超期"
    assert "始于 2026-10-12 12:00" in over[0].text
    assert list(ended([need()], notice("张三"), [ZHANG], NOON)) == []
    assert list(ended([], notice("张三", silent=True), [ZHANG], NOON)) == []


def test_a_clerk_is_told_what_is_of_the_own_authority_and_of_no_other() -> None:
    mine = contact("张三", authorities=["甲局"])
    lines = (Line("甲的一件", "甲局"), Line("乙的一件", "乙局"))
    both = Need("overdue", "超期", frozenset({ContactRole.CLERK}), lines)
    other = Need("overdue", "超期", frozenset({ContactRole.CLERK}), lines[1:])

    [told] = begun([both], {}, [mine], NOON, TWO_HOURS)

    assert told.text == "- 甲的一件"
    assert list(begun([other], {}, [mine], NOON, TWO_HOURS)) == []


def test_a_clerk_whose_own_items_are_done_is_told_of_the_next_one() -> None:
    mine = contact("张三", authorities=["甲局"])
    others = Need("overdue", "超期", frozenset({ContactRole.CLERK}), (Line("乙的一件", "乙局"),))
    again = Need("overdue", "超期", frozenset({ContactRole.CLERK}), (Line("甲的下一件", "甲局"),))

    assert list(concerned_no_more([again], notice("张三"), [mine])) == []
    assert list(concerned_no_more([others], notice("张三"), [mine])) == [("overdue", "张三")]
    assert names(list(begun([again], notice(), [mine], NOON, TWO_HOURS))) == ["张三"]


def test_of_many_items_the_first_are_told_and_all_are_counted() -> None:
    many = need(*(f"第{number}件" for number in range(100)), advice="见工作清单")
    [told] = begun([many], {}, [ZHANG], NOON, TWO_HOURS)

    assert told.text.count("\n- ") == MOST_LINES - 1
    assert told.text.endswith("…… 共 100 项\n见工作清单")


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_whatever_comes_and_goes_each_is_told_in_turn_that_it_began_and_that_it_is_over(
    here: list[bool],
) -> None:
    """Never twice the same; and at the end each knows how it is."""
    known: dict[str, KnownNeed] = {}
    heard: list[bool] = []
    for minute, is_here in enumerate(here):
        now = NOON + timedelta(minutes=minute)
        present = [need()] if is_here else []
        if present and not known:
            known = notice(since=now)
        for _ in begun(present, known, [ZHANG], now, TWO_HOURS):
            known = notice("张三", since=known["overdue"].since)
            heard.append(True)
        for _ in ended(present, known, [ZHANG], now):
            known = {}
            heard.append(False)

    assert all(one != other for one, other in pairwise(heard))
    assert (heard[-1] if heard else False) is here[-1]
