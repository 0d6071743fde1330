"""Which authority an alias names in the end."""

from gateway.score.authority_aliases import ends


def test_an_alias_of_an_alias_names_the_authority_of_that() -> None:
    assert ends({"甲": "乙", "乙": "丙"}) == {"甲": "丙", "乙": "丙"}


def test_aliases_in_a_circle_name_nobody() -> None:
    assert ends({"甲": "乙", "乙": "甲", "丁": "甲", "戊": "己"}) == {"戊": "己"}
