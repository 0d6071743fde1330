"""Intake from, and delivery to, a real broker that demands TLS and a login."""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.protocol.admin import CreateAclsRequest

from connectors import build
from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.shared.kafka_connection import client_options
from gateway.config.errors import BadConfiguration
from gateway.config.settings import KafkaSettings
from gateway.embedded import kafka as embedded
from gateway.embedded.kafka import EmbeddedKafka
from gateway.intake.access import KafkaAway, options_of
from gateway.intake.kafka import KafkaIntake
from schemas.connection import KafkaConnection
from schemas.delivery import OutcomeKind
from tests.certificates import Authority
from tests.connectors.conftest import ItemFactory, make_item
from tests.folders import server_folder
from tests.integration.intake.kafka_world import bodies, until
from tests.integration.world import World

pytestmark = pytest.mark.integration

TOPIC = "secured"
USER, PASSWORD = "gateway", "a password of the test"
_MODULE = "org.apache.kafka.common.security"
#: SCRAM users are of the log folder and are made when it is formatted.
_SCRAM = [
    part
    for kind in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    for part in ("--add-scram", f"{kind}=[name={USER},password={PASSWORD}]")
]
#: The listener for clients demands TLS and a login; the others are those of the embedded broker.
SECURED = f"""
listener.name.plaintext.ssl.keystore.type=PEM
listener.name.plaintext.ssl.keystore.location={{keystore}}
listener.name.plaintext.ssl.truststore.type=PEM
listener.name.plaintext.ssl.truststore.location={{truststore}}
listener.name.plaintext.ssl.client.auth=requested
listener.name.plaintext.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.plaintext.plain.sasl.jaas.config={_MODULE}.plain.PlainLoginModule required \\
  user_{USER}="{PASSWORD}";
listener.name.plaintext.scram-sha-256.sasl.jaas.config={_MODULE}.scram.ScramLoginModule required;
listener.name.plaintext.scram-sha-512.sasl.jaas.config={_MODULE}.scram.ScramLoginModule required;
listener.name.plaintext.oauthbearer.sasl.jaas.config=\\
  {_MODULE}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.plaintext.oauthbearer.sasl.server.callback.handler.class=\\
  {_MODULE}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler
inter.broker.listener.name=INTERNAL
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""
#: Numbers of the protocol: a topic, its whole name, deny and allow.
_TOPIC, _LITERAL, _DENY, _ALLOW = 2, 3, 2, 3
_OPERATIONS = {"read": 3, "describe": 8}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(authority: Authority) -> Iterator[str]:
    """A broker that its clients reach by SASL_SSL only."""
    with server_folder() as folder, pytest.MonkeyPatch.context() as patch:
        certificate, key = authority.issue("broker")
        keystore = folder / "broker.pem"
        keystore.write_text(key.read_text() + certificate.read_text())
        internal = embedded._free_port(0)
        properties = embedded.PROPERTIES.replace(
            "PLAINTEXT://127.0.0.1:{port},CONTROLLER",
            f"PLAINTEXT://127.0.0.1:{{port}},INTERNAL://127.0.0.1:{internal},CONTROLLER",
        )
        properties = properties.replace(
            "advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},INTERNAL://127.0.0.1:{internal}",
        )
        properties = properties.replace(
            "map=PLAINTEXT:PLAINTEXT,", "map=PLAINTEXT:SASL_SSL,INTERNAL:PLAINTEXT,"
        )
        files = {"keystore": keystore, "truststore": authority.file}
        patch.setattr(embedded, "PROPERTIES", properties + SECURED.format(**files))
        java = embedded._java

        def formatting(main: str, arguments: list[str], log: Path) -> Any:
            more = _SCRAM if main.endswith("StorageTool") else []
            return java(main, [*arguments, *more], log)

        patch.setattr(embedded, "_java", formatting)
        server = EmbeddedKafka(folder)
        server.start()
        yield server.bootstrap
        server.stop()


def token(subject: str) -> str:
    """Return an unsecured token, which the broker of the test takes."""
    parts = ({"alg": "none"}, {"sub": subject, "iat": 1_700_000_000, "exp": 4_000_000_000})
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return ".".join(each.decode() for each in coded) + "."


@pytest.fixture(params=["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def login(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> dict[str, str]:
    """The settings of a connection by each kind of login."""
    common = {"security_protocol": "SASL_SSL", "sasl_mechanism": request.param}
    common["ca_file"] = str(authority.file)
    if request.param == "OAUTHBEARER":
        file = tmp_path / "token"
        file.write_text(f"{token(USER)}\n")
        return common | {"token_file": str(file)}
    return common | {"username": USER, "password": PASSWORD}


@pytest.fixture
async def producer(secured: str, login: dict[str, str]) -> AsyncIterator[AIOKafkaProducer]:
    options = client_options(KafkaConnection.model_validate(login))
    admin = AIOKafkaAdminClient(bootstrap_servers=secured, **options)
    await admin.start()
    topic = f"{TOPIC}-{login['sasl_mechanism']}"
    await admin.create_topics([NewTopic(name, 1, 1) for name in (topic, f"{topic}.receipts")])
    await admin.close()
    made = AIOKafkaProducer(bootstrap_servers=secured, **options)
    await made.start()
    yield made
    await made.stop()


def settings(topic: str, **connection: str) -> KafkaSettings:
    return KafkaSettings.model_validate(
        {"group": topic, "topics": {topic: "penalty"}, **connection}
    )


async def test_intake_and_a_topic_of_a_bank_use_the_same_settings(
    world: World, secured: str, producer: AIOKafkaProducer, login: dict[str, str]
) -> None:
    topic = f"{TOPIC}-{login['sasl_mechanism']}"
    await producer.send_and_wait(topic, bodies(1, 1)[0])
    gateway = world.gateway
    intake = KafkaIntake(
        settings(topic, **login), secured, gateway.pipeline, world.clock, gateway.metrics
    )
    await intake.start()
    await until(lambda: intake.taken == 1)
    await intake.stop()

    target = {"bootstrap_servers": secured, "topic": topic, **login}
    connector = build("kafka-topic", target, world.clock)
    item: ItemFactory = make_item
    [outcome] = await connector.send([item(1)])
    await connector.close()
    connector = build("kafka-topic", target | {"receipts": {"topic": f"{topic}.receipts"}},
                      world.clock)  # fmt: skip
    await producer.send_and_wait(f"{topic}.receipts", b'{"id": "key-1", "status": "accepted"}')
    [receipt], _ = await connector.receipts("")
    await connector.close()

    assert receipt.accepted
    assert await world.value("select count(*) from decision") == 1
    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_wrong_password_is_told_at_the_start(
    world: World, secured: str, authority: Authority
) -> None:
    wrong = {"security_protocol": "SASL_SSL", "username": USER, "password": "wrong"}
    chosen = settings("t", **wrong, ca_file=str(authority.file))
    gateway = world.gateway
    intake = KafkaIntake(chosen, secured, gateway.pipeline, world.clock, gateway.metrics)

    with pytest.raises(KafkaAway):
        await intake.start()
    await intake.stop()


async def test_a_topic_of_a_bank_that_lets_nobody_in_is_no_outage_of_the_bank(
    world: World, secured: str, authority: Authority
) -> None:
    """A wrong password is refused, and a certificate that we do not trust is ours to settle."""
    login = {"security_protocol": "SASL_SSL", "username": USER}
    found: list[ConnectorError] = []
    for more in (
        {"password": "wrong", "ca_file": str(authority.file)},
        {"password": PASSWORD},
    ):
        target = {"bootstrap_servers": secured, "topic": "t", "receipts": {"topic": "r"}}
        target |= {**login, **more}
        connector = build("kafka-topic", target, world.clock)
        for call in (connector.send([make_item(1)]), connector.receipts("")):
            with pytest.raises(ConnectorError) as caught:
                await call
            found.append(caught.value)
        await connector.close()

    assert [type(one) for one in found] == [*[CallRejected] * 2, *[NotSent] * 2]
    assert all("登录失败" in str(one) for one in found[:2])
    assert all("证书不能信任" in str(one) for one in found[2:])
    assert not any(one.theirs for one in found[2:])


@pytest.mark.parametrize("denied", _OPERATIONS)
async def test_receipts_that_may_not_be_read_are_told(
    world: World, secured: str, authority: Authority, denied: str
) -> None:
    login = {"security_protocol": "SASL_SSL", "username": USER, "password": PASSWORD}
    login |= {"ca_file": str(authority.file)}
    options = client_options(KafkaConnection.model_validate(login))
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=secured, **options)
    await admin.start()
    topic = f"closed-to-{denied}"
    await admin.create_topics([NewTopic(name, 1, 1) for name in ("open", topic)])
    who = f"User:{USER}", "*", _OPERATIONS[denied], _DENY
    await admin._send_request(CreateAclsRequest(_TOPIC, topic, _LITERAL, *who))
    if denied == "read":  # where there is a rule, all that none allows is denied
        allowed = f"User:{USER}", "*", _OPERATIONS["describe"], _ALLOW
        await admin._send_request(CreateAclsRequest(_TOPIC, topic, _LITERAL, *allowed))
    await admin.close()
    target = {"bootstrap_servers": secured, "topic": "open", "receipts": {"topic": topic}}
    connector = build("kafka-topic", {**target, **login}, world.clock)

    health = await connector.health()
    await connector.close()

    assert not health.ok
    assert health.detail.startswith(f"回执主题 {topic}：")
    assert "权限" in health.detail


def test_a_file_that_cannot_be_used_is_told_by_its_setting() -> None:
    chosen = settings("t", security_protocol="SSL", ca_file="/nowhere/ca.pem")

    with pytest.raises(BadConfiguration, match=re.escape("kafka ca_file：/nowhere/ca.pem")):
        options_of(chosen)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"security_protocol": "SASL_SSL"}, "username"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}, "token_file"),
        ({"username": "u", "password": "p"}, "security_protocol"),
        ({"ca_file": "/c.pem"}, "security_protocol"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KafkaConnection.model_validate(given)
