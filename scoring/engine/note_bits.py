"""Interpretation notes as bits, so that a trace collects them at no cost."""

from collections.abc import Iterable

from scoring.regulation.terms import Note


class NoteBook:
    """Gives each note a bit in the order of the rule set."""

    def __init__(self, notes: Iterable[Note]) -> None:
        """Number the notes."""
        self._ids = tuple(note.id for note in notes)
        self._bits = {name: 1 << place for place, name in enumerate(self._ids)}
        self._names: dict[int, tuple[str, ...]] = {0: ()}

    def mask(self, ids: Iterable[str]) -> int:
        """The bits of these notes."""
        mask = 0
        for name in ids:
            mask |= self._bits[name]
        return mask

    def names(self, mask: int) -> tuple[str, ...]:
        """The notes of these bits, in the order of the rule set."""
        names = self._names.get(mask)
        if names is None:
            names = tuple(name for name in self._ids if self._bits[name] & mask)
            self._names[mask] = names
        return names
