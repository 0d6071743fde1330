"""The generated interfaces equal the models."""

from importlib.resources import files

import pytest

from gateway.service.interfaces import documents


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_generated_interface_equals_its_model(name: str) -> None:
    written = (files("schemas") / "generated" / name).read_bytes()

    assert written == documents()[name], "run python -m gateway.service.interfaces"


def test_the_folder_of_generated_interfaces_has_no_other_file() -> None:
    names = {file.name for file in (files("schemas") / "generated").iterdir()}

    assert names == set(documents())
