"""Assessments 评价结果, grade changes, and the rule set texts that they use."""
