"""Assessments 评价结果, grade changes, and the texts that they rest on."""
