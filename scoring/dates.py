"""Add days, months and years to dates as the rule sets define it."""

from calendar import monthrange
from datetime import MAXYEAR, date, timedelta

MONTHS = 12


def add_months(day: date, months: int) -> date | None:
    """Return the same day so many months later, or that month's last day; None after year 9999."""
    years, month = divmod(day.month - 1 + months, MONTHS)
    year = day.year + years
    if year > MAXYEAR:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date | None:
    """Return the day so many days later; None after year 9999."""
    return day + timedelta(days=days) if days <= (date.max - day).days else None


def year_end(day: date) -> date | None:
    """Return the first day of the following year; None after year 9999."""
    return None if day.year == MAXYEAR else date(day.year + 1, 1, 1)
