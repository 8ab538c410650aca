"""Many patterns of digits as one automaton: where a number leads in it is all that the patterns can tell of the number.

The one idea: numbering plans are written as regular expressions of digits, `7(?:457[0-57-9]|624\\d)\\d{6}` and hundreds
like it. Walking through all of them at once takes one step for each digit; two numbers of one length that end in the
same state fit the same patterns. States are made when a number first needs them.

    codes = Automaton(["110", r"95\\d{3,6}"])
    codes.after("95588").first      -> 1       # the first pattern that fits in full
    codes.after("955").first        -> None
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

ANY_DIGIT = (1 << 10) - 1
MOST_STATES = 50_000  # of one automaton; the numbers of a country lead to some hundreds

_PART = re.compile(r"\\d|\[[0-9-]+\]|[0-9]|\(\?:|\(|\)|\||\?|\{\d+(?:,\d+)?\}")


class NoAutomatonError(ValueError):
    """The pattern holds something beside digits, choices and counts."""


class _Piece(NamedTuple):
    """A part of a pattern: whether it may be empty, and the positions that it begins and ends with."""

    empty: bool
    first: int
    last: int


_NOTHING = _Piece(True, 0, 0)


class Reached(dict[str, "Reached"]):
    """Where digits have led; `state[digit]` is where the next one leads.

    `first` is the first pattern that the digits so far fit in full. Two states are the same if they are one.
    """

    __slots__ = ("_automaton", "_positions", "first")
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__

    def __init__(self, automaton: "Automaton", positions: int) -> None:
        super().__init__()
        self._automaton, self._positions = automaton, positions
        self.first = automaton.first_of(positions)

    def __bool__(self) -> bool:
        """Whether any pattern goes on, or ends here."""
        return self._positions != 0

    def __missing__(self, digit: str) -> "Reached":
        following = self._automaton.following(self._positions, digit)
        self[digit] = following
        return following


class Automaton:
    """The patterns, and those that any digits may follow (`open_ended`); raises NoAutomatonError."""

    def __init__(self, patterns: Iterable[str], open_ended: Iterable[str] = ()) -> None:
        self._digits: list[int] = [0]  # of each position the digits that lead to it; 0 is the beginning
        self._follow: list[int] = [0]
        self._ends: list[int] = []
        self._empty: list[bool] = []
        for pattern in patterns:
            self._include(pattern, more=False)
        for pattern in open_ended:
            self._include(pattern, more=True)
        self._states: dict[int, Reached] = {}
        self._start = self._state(1)

    def after(self, digits: str) -> Reached:
        """Where these digits lead."""
        state = self._start
        for digit in digits:
            state = state[digit]
        return state

    def following(self, positions: int, digit: str) -> Reached:
        """The state after one more digit."""
        bit, reached = 1 << int(digit), 0
        while positions:
            lowest = positions & -positions
            reached |= self._follow[lowest.bit_length() - 1]
            positions ^= lowest
        return self._state(self._of_digit(reached, bit))

    def first_of(self, positions: int) -> int | None:
        """The first pattern that ends at one of these positions."""
        is_start = positions == 1
        for number, ends in enumerate(self._ends):
            if positions & ends or (is_start and self._empty[number]):
                return number
        return None

    def _of_digit(self, positions: int, bit: int) -> int:
        found = 0
        while positions:
            lowest = positions & -positions
            if self._digits[lowest.bit_length() - 1] & bit:
                found |= lowest
            positions ^= lowest
        return found

    def _state(self, positions: int) -> Reached:
        found = self._states.get(positions)
        if found is None:
            if len(self._states) >= MOST_STATES:
                self._states.clear()
            found = self._states[positions] = Reached(self, positions)
        return found

    # -- from the text of a pattern

    def _include(self, pattern: str, *, more: bool) -> None:
        tokens = [match[0] for match in _PART.finditer(pattern)]
        if "".join(tokens) != pattern:
            raise NoAutomatonError(pattern)
        reader = _Reader(tokens, self)
        piece = reader.choice()
        if reader.ahead:
            raise NoAutomatonError(pattern)
        if more:
            piece = self.then(piece, self.repeated())
        self._link(1, piece.first)
        self._ends.append(piece.last)
        self._empty.append(piece.empty)

    def position(self, digits: int) -> _Piece:
        """A place for one digit out of these."""
        self._digits.append(digits)
        self._follow.append(0)
        bit = 1 << (len(self._digits) - 1)
        return _Piece(False, bit, bit)

    def repeated(self) -> _Piece:
        """Any run of digits."""
        piece = self.position(ANY_DIGIT)
        self._link(piece.last, piece.first)
        return piece._replace(empty=True)

    def then(self, one: _Piece, other: _Piece) -> _Piece:
        """One piece and then the other."""
        self._link(one.last, other.first)
        return _Piece(
            one.empty and other.empty,
            one.first | (other.first if one.empty else 0),
            other.last | (one.last if other.empty else 0),
        )

    def _link(self, sources: int, targets: int) -> None:
        while sources:
            lowest = sources & -sources
            self._follow[lowest.bit_length() - 1] |= targets
            sources ^= lowest


class _Reader:
    """Reads one pattern; a counted part is read again for each time that it may stand there."""

    def __init__(self, tokens: list[str], automaton: Automaton) -> None:
        self._tokens, self._at, self._automaton = [*tokens, ""], 0, automaton

    @property
    def ahead(self) -> str:
        """The next token; nothing at the end."""
        return self._tokens[self._at]

    def choice(self) -> _Piece:
        """One out of several rows, up to the end or the bracket that closes them."""
        found = self._row()
        while self.ahead == "|":
            self._at += 1
            other = self._row()
            found = _Piece(found.empty or other.empty, found.first | other.first, found.last | other.last)
        return found

    def _row(self) -> _Piece:
        found = _NOTHING
        while self.ahead not in ("|", ")", ""):
            found = self._automaton.then(found, self._counted())
        return found

    def _counted(self) -> _Piece:
        begin = self._at
        found = self._part()
        least, most = self._count()
        behind, piece = self._at, _NOTHING
        for number in range(most):
            if number:
                self._at = begin
                found = self._part()
            piece = self._automaton.then(piece, found if number < least else found._replace(empty=True))
        self._at = behind
        return piece

    def _count(self) -> tuple[int, int]:
        token = self.ahead
        if token == "?":
            self._at += 1
            return 0, 1
        if token[:1] != "{":
            return 1, 1
        self._at += 1
        least, _, most = token[1:-1].partition(",")
        return int(least), int(most or least)

    def _part(self) -> _Piece:
        token = self.ahead
        if not token:
            raise NoAutomatonError
        self._at += 1
        if token in ("(", "(?:"):
            found = self.choice()
            if self.ahead != ")":
                raise NoAutomatonError
            self._at += 1
            return found
        return self._automaton.position(_digits_of(token))


def _digits_of(token: str) -> int:
    """The digits that a part of a pattern stands for, as bits."""
    if token == r"\d":
        return ANY_DIGIT
    if token.isdigit():
        return 1 << int(token)
    if token[:1] != "[":
        raise NoAutomatonError(token)
    allowed = re.compile(token)
    return sum(1 << digit for digit in range(10) if allowed.fullmatch(str(digit)))
