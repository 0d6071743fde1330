"""Records in the store: subjects, authorities, decisions, facts, inbox, quarantine."""
