"""By when 时限: working days and due times (pure but for the shipped calendars)."""
