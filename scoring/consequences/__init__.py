"""The consequences of an assessment 评价结果的运用: changes, measures, publicity, outlook."""
