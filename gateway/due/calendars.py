"""The shipped working-day calendars 工作日历, one file for each year in `calendars/`."""

from importlib.resources import files

from gateway.due.workdays import Workdays, parse_year


def load_workdays() -> Workdays:
    """Load all of them; raises BadCalendar if one contradicts itself or a year is missing."""
    folder = files("gateway") / "calendars"
    return Workdays(parse_year(file.read_bytes()) for file in folder.iterdir())
