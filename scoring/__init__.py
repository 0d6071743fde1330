"""Credit scoring 环保信用评价: facts + rule set + date → assessment. Pure; imports schemas only."""
