"""All SQL: one function for each question, set-based, on a connection that the step owns."""
