"""Rows that are at hand column by column, some thousand at once: a list of any length, written quickly.

    rows = Batches(batches)               # each a mapping of keys to columns
    for row in rows: ...                  # the rows one by one, as any other list
    for batch in rows.batches: batch["fee"]

The one idea: what is done to a column at once costs a small part of what it costs cell by cell; and where thousands of
rows tell few different things (`FewValues`), it is done to those.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Batch = Mapping[str, Sequence[Any]]  # the columns by their keys, all of one length
Some = TypeVar("Some", bound=Batch, covariant=True)


@dataclass(frozen=True, slots=True)
class Batches(Generic[Some]):
    """Columns of the same keys, batch by batch. May be read once, if its batches may; nobody changes a value."""

    keys: Sequence[str]
    batches: Iterable[Some]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows, each with all keys."""
        for batch in self.batches:
            for values in zip(*(batch[key] for key in self.keys), strict=True):
                yield dict(zip(self.keys, values, strict=True))


@dataclass(frozen=True, slots=True)
class FewValues(Sequence[Any]):
    """A column of few different values: row `n` has that at `places[n]`."""

    different: Sequence[Any]
    places: Sequence[int]

    def __getitem__(self, asked: Any) -> Any:
        if isinstance(asked, slice):
            return FewValues(self.different, self.places[asked])
        return self.different[self.places[asked]]

    def __iter__(self) -> Iterator[Any]:
        return map(self.different.__getitem__, self.places)

    def __len__(self) -> int:
        return len(self.places)


def each(values: Sequence[Any], work_out: Callable[[Sequence[Any]], Sequence[Any]]) -> Sequence[Any]:
    """What is worked out of a column as a whole; of a shared one only of its different values."""
    if isinstance(values, FewValues):
        return FewValues(work_out(values.different), values.places)
    return work_out(values)
