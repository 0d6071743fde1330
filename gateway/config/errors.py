"""What the gateway refuses, and what it cannot work without.

ValueError
└── BadConfiguration   what was configured cannot be used
    ├── SecretMissing   a secret is named and is not there (gateway.secrets)
    └── BadCalendar     a calendar file contradicts itself (gateway.workdays)

Exception
└── Away   a server that the gateway needs does not answer
    ├── DatabaseAway        (gateway.store.engine)
    ├── KafkaAway           (gateway.intake.kafka)
    └── ServerDidNotStart   an embedded one (gateway.embedded.server)
"""


class BadConfiguration(ValueError):
    """The configuration cannot be used; each line names file, place, what is wrong and the fix."""


class Away(Exception):
    """A server does not answer; the message is what it or its driver said."""

    #: What is away and where to look, for people.
    lead = ""

    def told(self) -> str:
        """The whole for people."""
        return f"{self.lead}：{self}"
