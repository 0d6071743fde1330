"""What scoring refuses.

ValueError
└── RuleSetError   a rule set or its cases cannot be used
"""


class RuleSetError(ValueError):
    """The rule set cannot be used; each line names rule set, culprit and what is wrong."""
