"""Why a decision was late: the time up to its due time is split without a gap."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.causes import Cause, DownTime, Told, Why, why

DECIDED = datetime(2026, 10, 9, 16, tzinfo=UTC)
DUE = DECIDED + timedelta(days=7)


def at(days: float) -> datetime:
    return DECIDED + timedelta(days=days)


def told(
    created: float,
    *,
    held: bool = False,
    handed: float | None = None,
    rejected: float | None = None,
    accepted: float | None = None,
) -> Told:
    times = (None if day is None else at(day) for day in (handed, rejected, accepted))
    return Told(at(created), held, *times)


def found(arrived: float | None, *versions: Told, down: tuple[DownTime, ...] = ()) -> Why:
    return why(DECIDED, DUE, None if arrived is None else at(arrived), versions, down)


@pytest.mark.parametrize(
    ("arrived", "versions", "down", "cause"),
    [
        (9, [told(9)], (), Cause.ENTERED_LATE),
        (5, [told(5, handed=7.5)], (), Cause.ENTERED_LATE),
        (1, [told(1, held=True), told(6, handed=7.5)], (), Cause.HELD),
        (1, [told(1, handed=1.1, rejected=2), told(6.5, handed=8)], (), Cause.REJECTED),
        (1, [told(1, handed=1.1)], (), Cause.SILENT),
        (1, [told(1, handed=1.1, accepted=8)], (), Cause.SILENT),
        (1, [told(1, handed=9)], (DownTime(at(2), None),), Cause.RECEIVER_DOWN),
        (1, [told(1, handed=9)], (DownTime(at(2), at(3)),), Cause.OURS),
        (1, [told(1)], (), Cause.OURS),
        (1, [], (), Cause.UNTOLD),
        (1, [told(6)], (), Cause.UNTOLD),
        (None, [], (), Cause.ENTERED_LATE),
    ],
)
def test_the_cause_is_what_took_the_most_of_the_time(
    arrived: float | None, versions: list[Told], down: tuple[DownTime, ...], cause: Cause
) -> None:
    assert found(arrived, *versions, down=down).cause is cause


def test_the_words_say_what_took_how_long() -> None:
    one = found(4.25, told(4.25, held=True), told(6, handed=8))

    assert one.words == "录入晚（录入晚 4天6小时，待补正 1天18小时，本系统待报送 1天）"


DAYS = st.floats(0, 10, allow_nan=False).map(lambda n: round(n, 3))


@given(
    st.lists(DAYS, min_size=1, max_size=4, unique=True),
    st.lists(st.tuples(DAYS, DAYS), max_size=3),
    st.data(),
)
def test_all_of_the_time_is_accounted_for_once(
    days: list[float], down: list[tuple[float, float]], data: st.DataObject
) -> None:
    created = sorted(days)
    versions = []
    for day, end in zip(created, [*created[1:], 12.0], strict=True):
        handed = data.draw(st.none() | st.floats(day, end))
        after = None if handed is None else data.draw(st.none() | st.floats(handed, end))
        rejected = data.draw(st.booleans())
        versions.append(
            told(
                day,
                held=handed is None and data.draw(st.booleans()),
                handed=handed,
                rejected=after if rejected else None,
                accepted=None if rejected else after,
            )
        )
    times = sorted(day for pair in down for day in pair)
    outages = [DownTime(at(a), at(b)) for a, b in zip(times[::2], times[1::2], strict=True)]
    arrived = data.draw(st.floats(0, created[0]))

    one = why(DECIDED, DUE, at(arrived), versions, outages)

    total = sum((time for _, time in one.spent), timedelta())
    settled = any(version.accepted_at for version in versions)
    assert total <= DUE - DECIDED
    assert settled or total == DUE - DECIDED


def test_where_a_person_carries_files_the_time_before_the_hand_over_is_no_fault_of_ours() -> None:
    found = why(DECIDED, DUE, at(1), [told(1, handed=9)], (), Cause.UPLOAD)

    assert found.cause is Cause.UPLOAD
    assert Cause.OURS not in dict(found.spent)
