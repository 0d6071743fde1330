"""The row engine 计分: computes the assessment of one subject from facts and a rule set."""
