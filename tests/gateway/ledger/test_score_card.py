"""The score card of a month: figures, trend, days, what to do next, and its page."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.config.settings import Settings
from gateway.ledger.causes import Cause
from gateway.ledger.figures import FigureCounts, Rate
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.score_card import MonthRates, ScoreCard, months_before, score_card
from gateway.ledger.score_card_page import page, pdf
from gateway.ledger.timeliness import Timeliness
from gateway.store.account.ledgers import Frozen
from schemas.base import end_of
from schemas.codes import RecordKind

MONTH = "2026-10"
DAY = date(2026, 10, 9)
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
SETTINGS = Settings.model_validate(
    {
        "destinations": [
            {
                "name": "platform",
                "title": "信用样例",
                "connector": "memory",
                "takes": ["penalty"],
                "clocks": ["working-7", "calendar-7"],
            },
            {"name": "china", "title": "信用样国", "connector": "memory", "takes": ["penalty"]},
        ]
    }
)
T = Timeliness
#: After the 9th of October 2026: the 20th, since the 10th was a working day, and the 16th.
WORKING_7, CALENDAR_7 = end_of(date(2026, 10, 20)), end_of(date(2026, 10, 16))


def row(
    number: int,
    result: Timeliness,
    days: int | None = None,
    cause: Cause | None = None,
    authority: str = "样例市局",
    dues: tuple[datetime, ...] = (),
    **more: Any,
) -> LedgerRow:
    """A decision that was accepted so many days after its own, at noon in Beijing."""
    at = None if days is None else datetime(2026, 10, 9, 4, tzinfo=UTC) + timedelta(days=days)
    standings = {
        one.name: DecisionStanding(
            destination=one.name,
            state="有效入库",
            due=dict(zip(one.clocks, dues or (WORKING_7, CALENDAR_7), strict=False)),
            timeliness=dict.fromkeys(one.clocks, result),
            handed_over_at=at,
            accepted_at=at,
            blind=False,
            attempts=1,
            reasons=(),
            cause=cause,
        )
        for one in SETTINGS.destinations
    }
    plain = {"excluded": None, "withdrawn": False, "standings": standings}
    return LedgerRow(
        decision_id=number,
        kind=RecordKind.PENALTY,
        document_number=f"样环罚〔2026〕{number}号",
        authority=authority,
        subject_name="样例公司",
        subject_code="",
        decision_date=DAY,
        **plain | more,
    )


def carded(*rows: LedgerRow, earlier: Any = None) -> ScoreCard:
    counts = FigureCounts(SETTINGS.destinations, SETTINGS.all_clocks)
    for one in rows:
        counts.add(one)
    return score_card(MONTH, counts.figures(), rows, SETTINGS.all_clocks, earlier or {})


def test_the_rates_are_those_of_the_strictest_clock_of_the_headline() -> None:
    card = carded(row(1, T.TIMELY, 1), row(2, T.LATE, 9, Cause.ENTERED_LATE), row(3, T.MISSED))

    assert card.clock is not None
    assert card.clock.clock == "calendar-7"
    assert [(name, rate.text) for name, rate in card.rates] == [
        ("上报率", "66.66%"),
        ("合规率", "100.00%"),
        ("及时率", "33.33%"),
    ]


@pytest.mark.parametrize("worse", ["working-7", "calendar-7"])
def test_the_clock_that_was_missed_decides_whatever_its_days(worse: str) -> None:
    plain = row(1, T.TIMELY, 1)
    results = {one: T.LATE if one == worse else T.TIMELY for one in ("working-7", "calendar-7")}
    standing = replace(plain.standings["platform"], timeliness=results)

    card = carded(replace(plain, standings={**plain.standings, "platform": standing}))

    assert card.clock is not None
    assert card.clock.clock == worse
    assert [rate.text for _, rate in card.rates] == ["100.00%", "100.00%", "0.00%"]
    assert not any("保持" in step for step in card.steps)


def shown(card: ScoreCard) -> dict[str, tuple[int, int, int]]:
    """Return how many were timely, late and undecided on each day."""
    return {
        one.days: (one.timely, one.late, one.undecided) for one in card.days if one.results.total()
    }


def test_days_are_counted_from_the_day_of_the_decision() -> None:
    days = {0: T.TIMELY, 1: T.TIMELY, 7: T.TIMELY, 8: T.LATE, 30: T.LATE}
    rows = [row(n, result, day) for n, (day, result) in enumerate(days.items())]

    card = carded(*rows, row(8, T.TIMELY, 0), row(9, T.MISSED), row(10, T.OPEN))

    assert shown(card) == {
        "0天": (2, 0, 0),
        "1天": (1, 0, 0),
        "7天": (1, 0, 0),
        "7天后": (0, 2, 0),
        "未入库": (0, 1, 1),
    }
    assert card.limits == (7, 7)


def test_by_working_days_each_decision_has_its_own_limit() -> None:
    october, november = [end_of(DAY + timedelta(days=n)) for n in (9, 11)]
    rows = [
        row(1, T.LATE, 10, dues=(october, october)),
        row(2, T.TIMELY, 10, dues=(november, november)),
        row(3, T.LATE, 12, dues=(november, november)),
    ]

    card = carded(*rows)
    html = page(card, NOW, None)

    assert shown(card) == {"10天": (1, 1, 0), "11天后": (0, 1, 0)}
    assert card.limits == (9, 11)
    assert html.count('class="limit"') == 2
    assert "在决定后第 9 至 11 天止" in html


def test_what_to_do_next_names_the_most_urgent_first() -> None:
    card = carded(
        row(1, T.LATE, 9, Cause.HELD, "甲局"),
        row(2, T.LATE, 9, Cause.ENTERED_LATE, "甲局"),
        row(3, T.LATE, 9, Cause.ENTERED_LATE, "乙局"),
        row(4, T.MISSED, None, Cause.RECEIVER_DOWN, "乙局"),
        row(5, T.OPEN),
        row(6, T.TIMELY, 1, authority="丙局", excluded="涉密决定"),
    )

    missed, entered, *others, open_ = card.steps
    assert missed == "漏报 1 件，今天就报：样环罚〔2026〕4号"
    assert entered.endswith("（甲局 1件、乙局 1件）")
    assert len(others) == 2
    assert open_ == "还有 1 件未到期未入库，盯到入库：样环罚〔2026〕5号"
    assert [line.name for line in card.authorities] == ["乙局", "甲局", "样例市局"]


@pytest.mark.parametrize(
    ("rows", "step"),
    [
        ((), "本月没有应报的决定：按零报告报送"),
        ((row(1, T.TIMELY, 1),), "上报、合规、及时都做到 100%，保持"),
    ],
)
def test_a_month_of_zero_and_a_full_one_are_told(rows: tuple[LedgerRow, ...], step: str) -> None:
    card = carded(*rows)

    assert card.steps == (step,)
    assert [rate.text for _, rate in card.rates] == (["100.00%"] * 3 if rows else ["—"] * 3)


def test_without_a_headline_the_card_says_what_to_configure() -> None:
    card = score_card(MONTH, (), (), SETTINGS.all_clocks, {})

    assert "headline" in card.steps[0]
    assert "没有主报平台" in page(card, NOW, None)


def test_the_trend_has_twelve_months_as_they_were_frozen() -> None:
    clocks = [{"clock": "calendar-7", "timely": 3}]
    figures = {
        "destination": "platform",
        "kind": None,
        "in_scope": 4,
        "handed_over": 4,
        "accepted": 2,
        "clocks": clocks,
    }

    card = carded(row(1, T.TIMELY, 1), earlier={"2026-08": {"figures": [figures]}})

    known = {one.month: one for one in card.trend if one.timely is not None}
    assert [one.month for one in card.trend] == months_before(MONTH, 12)
    assert known.keys() == {"2026-08", "2026-10"}
    assert known["2026-08"] == MonthRates("2026-08", Rate(4, 4), Rate(2, 4), Rate(3, 4))


def test_months_go_back_over_the_new_year() -> None:
    assert months_before("2026-02", 3) == ["2025-12", "2026-01", "2026-02"]
    assert months_before("0001-01", 2) == ["0000-12", "0001-01"]


def test_the_page_stands_alone_and_shows_what_it_is_given_as_text() -> None:
    card = carded(row(1, T.LATE, 9, Cause.HELD, "<script>alert(1)</script>"))

    html = page(card, NOW, Frozen(MONTH, 2, "a" * 64, "补收", NOW, {}))

    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"https?://", html)
    assert "台账第 2 版已冻结，校验值 aaaaaaaaaaaaaaaa" in html
    assert "尚未冻结" in page(card, NOW, None)


def test_the_page_is_printed_on_one_sheet() -> None:
    rows = [row(n, T.LATE, 9, Cause.HELD, f"{n}局") for n in range(8)]

    made = pdf(page(carded(*rows), NOW, None))

    assert made.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) == 1
