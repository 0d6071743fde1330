"""What may stand in the address of the database."""

import pytest

from gateway.config.errors import BadConfiguration
from gateway.store.base.address import read_address

BASE = "postgresql://u:p@h:5433/d"


def test_an_address_goes_to_our_driver() -> None:
    address = read_address(f"{BASE}?sslmode=verify-full")

    shown = address.url.render_as_string(hide_password=False)
    assert shown == "postgresql+asyncpg://u:p@h:5433/d?ssl=verify-full"
    assert (address.pooled, address.settings, address.arguments) == (False, {}, {})


def test_settings_of_the_server_may_stand_in_it() -> None:
    options = "-c%20statement_timeout%3D30s%20-c%20search_path%3Dgateway"

    address = read_address(f"{BASE}?options={options}&application_name=gateway-1")

    assert address.settings == {
        "statement_timeout": "30s",
        "search_path": "gateway",
        "application_name": "gateway-1",
    }


def test_a_pooler_and_the_kind_of_server_may_be_named() -> None:
    address = read_address(f"{BASE}?pooler=transaction&target_session_attrs=primary")

    assert address.pooled
    assert address.arguments == {"target_session_attrs": "primary"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("pooler=session", "pooler"),
        ("sslmode=sometimes", "sslmode"),
        ("passfile=x", "passfile"),
        ("options=statement_timeout%3D1s", "options"),
    ],
)
def test_what_is_not_known_is_refused_by_name_and_the_password_is_not_shown(
    query: str, named: str
) -> None:
    with pytest.raises(BadConfiguration) as caught:
        read_address(f"postgresql://u:hidden@h/d?{query}")

    assert f"database_url：{named}" in str(caught.value)
    assert "hidden" not in str(caught.value)
