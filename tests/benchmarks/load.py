"""A simulated year of a bureau (pure): what comes when, and how long it waits at given rates.

Of each number it is said where it was read. `ESTIMATE` is ours: change it to what you know.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

#: 生态环境部: penalties of 2019 (16.28 万, the most of the years found; 2021: 13.28 万), EIA
#: approvals of 2022 (12.3 万), permits 排污许可证 in force in 2023 (35.91 万).
PENALTIES_2019, EIA_2022, PERMITS_2023 = 162_800, 123_000, 359_100
#: ESTIMATE: a permit is issued again every five years (排污许可管理条例), and changed once between.
PERMITS_A_YEAR = PERMITS_2023 * 2 // 5
#: 河南省环境保护厅, January to October 2018: decisions of the province, and of 郑州 with 巩义.
HENAN_2018, ZHENGZHOU_2018 = 8_128 * 12 // 10, (1_013 + 213) * 12 // 10
#: 青海省, all departments, February 2024 (9,220 licences, 119,634 penalties), as a year.
QINGHAI_2024 = 128_854 * 12
#: Residents by the census of 2020; that of 青海 and 郑州 from memory.
NATION, HENAN, ZHENGZHOU, QINGHAI = 1_411_780_000, 99_370_000, 12_600_000, 5_924_000

LICENCES_A_YEAR = EIA_2022 + PERMITS_A_YEAR


@dataclass(frozen=True, slots=True)
class Scope:
    """Who decides, and how many decisions a year."""

    title: str
    decisions: int


#: Licences of a place are those of the nation by its part of the penalties; where all departments
#: report, 青海 by residents. Both are ESTIMATE.
SCOPES = (
    Scope(
        "city, ecology (郑州)",
        ZHENGZHOU_2018 + LICENCES_A_YEAR * ZHENGZHOU_2018 // PENALTIES_2019,
    ),
    Scope("province, ecology (河南)", HENAN_2018 + LICENCES_A_YEAR * HENAN_2018 // PENALTIES_2019),
    Scope("country, ecology", PENALTIES_2019 + LICENCES_A_YEAR),
    Scope("city, all departments (郑州)", QINGHAI_2024 * ZHENGZHOU // QINGHAI),
    Scope("province, all departments (河南)", QINGHAI_2024 * HENAN // QINGHAI),
    Scope("country, all departments", QINGHAI_2024 * NATION // QINGHAI),
)

# The course of a year: all ESTIMATE. (Henan's October 2018 had 1.2 times the mean of its months.)
WORKING_DAYS, OFFICE_HOURS = 250, 9
SPREAD = 0.5  #: of the logarithm of what a day brings
MONTH_END, DAYS_OF_MONTH_END, MONTH = 2.0, 2, 21  #: twice as much on its last two working days
EVENING = 0.5  #: of the day comes at once, in one export after the offices close

#: Ten years are kept in a database of at most so much, which is restored in a morning: ESTIMATE.
YEARS, MOST_BYTES = 10, 2e12
#: What came in the evening should be recorded, and be handed over, before the offices open: hours.
NIGHT = 12.0
#: ESTIMATE of what a platform bears: one call a second of 100 rows.
PLATFORM_PER_S = 100.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured: decisions per second and process, and what the store has of one."""

    intake_per_s: float
    deliver_per_s: float  #: to all of its destinations
    rows: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Year:
    """The outcome of a year on one database; waits are the longest, in hours."""

    busiest_day: int
    intake_wait: float
    deliver_wait: float
    platform_wait: float


def arrivals(decisions: int, seed: int = 1) -> Iterator[tuple[float, float]]:
    """Yield (hour of the year, decisions that come then): each office hour, and each evening."""
    chance = random.Random(seed)  # noqa: S311  a simulation
    days = [
        chance.lognormvariate(0, SPREAD)
        * (MONTH_END if day % MONTH >= MONTH - DAYS_OF_MONTH_END else 1)
        for day in range(WORKING_DAYS)
    ]
    for day, weight in enumerate(days):
        come, opens = decisions * weight / sum(days), 24 * (day + day // 5 * 2) + 9
        for hour in range(OFFICE_HOURS):
            yield opens + hour, come * (1 - EVENING) / OFFICE_HOURS
        yield opens + OFFICE_HOURS, come * EVENING


def longest_wait(decisions: int, per_s: float) -> float:
    """Return the longest time in hours from the arrival of a decision to the end of its work."""
    backlog = before = longest = 0.0
    for at, come in arrivals(decisions):
        backlog = max(0.0, backlog - per_s * 3600 * (at - before)) + come
        longest, before = max(longest, backlog / (per_s * 3600)), at
    return longest


def year(decisions: int, measured: Measured) -> Year:
    """Live through a year with one process of intake and one that delivers."""
    days: dict[int, float] = {}
    for at, come in arrivals(decisions):
        days[int(at // 24)] = days.get(int(at // 24), 0.0) + come
    return Year(
        busiest_day=round(max(days.values())),
        intake_wait=longest_wait(decisions, measured.intake_per_s),
        deliver_wait=longest_wait(decisions, measured.deliver_per_s),
        platform_wait=longest_wait(decisions, PLATFORM_PER_S),
    )


def shards(decisions: int, measured: Measured) -> Mapping[str, int]:
    """Return how many databases are needed, by each reason."""
    count = 1
    rate = min(measured.intake_per_s, measured.deliver_per_s)
    while longest_wait(ceil(decisions / count), rate) > NIGHT:
        count += 1
    return {"rate": count, "size": ceil(decisions * YEARS * measured.bytes / MOST_BYTES)}
