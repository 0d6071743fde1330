"""What marks a delivery that waits for a person, since too much would change at once 批量变更."""

from schemas.delivery import MASS_CHANGE

#: Of a delivery `d`.
HELD_BACK = f"d.state = 'parked' and d.reasons ->> 0 like '{MASS_CHANGE}%'"
