"""The generated interfaces say what the models say."""

from importlib.resources import files

import pytest

from gateway.service.interfaces import documents


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_generated_interface_has_not_drifted_from_its_model(name: str) -> None:
    written = (files("schemas") / "generated" / name).read_bytes()

    assert written == documents()[name], "run python -m gateway.service.interfaces"


def test_nothing_else_lies_among_the_generated_interfaces() -> None:
    names = {file.name for file in (files("schemas") / "generated").iterdir()}

    assert names == set(documents())
