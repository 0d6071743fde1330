"""Which deliveries a command is about: those of numbers, or all that a filter matches."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from gateway.cli.options import actor
from gateway.cli.output import LARGEST, fail, lines_of, progress, run, settings_of
from gateway.deliver.bulk import BATCH
from gateway.deliver.manual import Acted
from gateway.service.app import Gateway, gateway
from gateway.store.base.engine import Connection
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.choice import STATE_NAMES, UnknownName, chosen, state_value
from schemas.delivery import DeliveryState


def state_named(text: str) -> DeliveryState:
    """Return the state of a name, or of the title by which it is printed."""
    try:
        return DeliveryState(state_value(text))
    except ValueError:
        raise typer.BadParameter(f"--state：应为 {STATE_NAMES} 之一，不是“{text}”") from None


DestinationOption = Annotated[str | None, typer.Option(help="只要这个报送对象（name 或 title）")]
StateOption = Annotated[
    DeliveryState | None,
    typer.Option(parser=state_named, metavar="状态", help="只要这种状态，如 held 或 待补正"),
]
AuthorityOption = Annotated[str | None, typer.Option(help="只要这个机关的决定")]
WithinOption = Annotated[
    float | None, typer.Option(min=0, max=100_000, help="只要这么多小时之内到期的")
]
ExpectOption = Annotated[int | None, typer.Option(min=1, help="按条件处理的条数，不写只数")]

BatchOption = Annotated[int, typer.Option(min=1, max=1000, help="每批几条，批间可停")]


@dataclass(frozen=True, slots=True)
class Selection:
    """The numbers that were given, or else a filter and how many deliveries it has to match."""

    numbers: list[str] | None
    destination: str | None = None
    state: DeliveryState | None = None
    authority: str | None = None
    within: float | None = None
    expect: int | None = None
    batch: int = BATCH

    @property
    def by_filter(self) -> bool:
        """Whether deliveries are chosen by a filter."""
        given = (self.destination, self.state, self.authority, self.within)
        return any(one is not None for one in given)

    async def wanted(self, connection: Connection, built: Gateway) -> Wanted:
        """Return the filter of the options; exits with wrong use if a name is not known."""
        before = None if self.within is None else built.clock() + timedelta(hours=self.within)
        asked = Wanted(self.destination, self.state, self.authority, before)
        try:
            return await chosen(connection, built.settings.destinations, asked)
        except UnknownName as error:
            fail(str(error))

    def ids(self) -> list[int]:
        """Return the numbers that were given; exits with wrong use if one is none."""
        given = list(lines_of(self.numbers, "报送的编号或条件（如 --destination）"))
        if wrong := [text for text in given if not text.isdecimal() or int(text) > LARGEST]:
            fail(f"{wrong[0]}：不是报送的编号；编号见 deliveries list")
        return [int(text) for text in given]


Change = Callable[[Gateway, Sequence[int], str], Awaitable[Acted]]


def act(context: typer.Context, selection: Selection, change: Change) -> tuple[list[int], Acted]:
    """Change the deliveries of the numbers in batches, as the person who calls the command.

    Cut off between two batches it has done the former ones.
    """
    if selection.expect is not None:
        fail(
            "--expect 是按条件处理的条数，先写条件：--destination、--state、--authority 或 --within"
        )
    ids = selection.ids()

    async def work() -> tuple[list[int], Acted]:
        async with gateway(settings_of(context)) as built:
            changed: set[int] = set()
            states: dict[int, DeliveryState] = {}
            with progress("处理", len(ids)) as advance:
                for start in range(0, len(ids), selection.batch):
                    batch = ids[start : start + selection.batch]
                    acted = await change(built, batch, actor())
                    changed |= acted.changed
                    states |= acted.states
                    advance(len(batch))
            return ids, Acted(changed, states)

    return run(work)
