"""Counting days and months as the rule sets do."""

from calendar import monthrange
from datetime import MAXYEAR, date, timedelta

MONTHS = 12


def add_months(day: date, months: int) -> date | None:
    """The corresponding day months later, or that month's last day; None beyond the calendar."""
    years, month = divmod(day.month - 1 + months, MONTHS)
    year = day.year + years
    if year > MAXYEAR:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date | None:
    """The day so many days later; None beyond the calendar."""
    return day + timedelta(days=days) if days <= (date.max - day).days else None


def year_end(day: date) -> date | None:
    """The first day of the following year; None beyond the calendar."""
    return None if day.year == MAXYEAR else date(day.year + 1, 1, 1)
