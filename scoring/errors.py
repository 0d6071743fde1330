"""Exceptions that scoring raises.

ValueError
└── RuleSetError   a rule set or its cases cannot be used
"""


class RuleSetError(ValueError):
    """The rule set cannot be used; each line names the rule set, the faulty part and the fault."""
