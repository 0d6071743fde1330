"""The score step 评分: facts and the rule set in force give assessments and grade changes."""
