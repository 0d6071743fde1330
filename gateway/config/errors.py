"""Errors of the configuration, and of servers that do not answer.

ValueError
└── BadConfiguration   the configuration cannot be used
    ├── SecretMissing   a named secret is missing (gateway.config.secrets)
    └── BadCalendar     a calendar file contradicts itself (gateway.due.workdays)
Exception
└── Away   a server that the gateway needs does not answer
    ├── DatabaseAway        (gateway.store.base.engine)
    ├── KafkaAway           (gateway.intake.access)
    ├── ServerDidNotStart   an embedded server (gateway.embedded.server)
    └── OutOfReach          its files are closed to its user (gateway.embedded.access)
"""


class BadConfiguration(ValueError):
    """The configuration cannot be used; each line names file, place, fault and fix."""


class Away(Exception):
    """A server does not answer; the message is that of the server or its driver."""

    #: What is away and what to check, in Chinese.
    lead = ""

    def told(self) -> str:
        """Return the whole message for people."""
        return f"{self.lead}：{self}"
