"""Facts and the rule set in force → assessments and grade changes 评分."""
