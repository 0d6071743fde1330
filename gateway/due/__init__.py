"""Due times 时限 and working days (pure, except for the shipped calendars)."""
