"""What was taken in: subjects, authorities, decisions, facts, inbox, quarantine."""
