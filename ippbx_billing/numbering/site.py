"""What a number is for this site: the order of decision, from the record's text to the classification.

    1. clean: digits, `+`, pauses                      4. `+` and `00`: the country; home goes on as national
    2. the site's extensions, in full                  5. the home country's plan (`china`, or `world` for others)
    3. clean-up rules, the outside-line prefix         6. unknown, and said so

The outside-line prefix is taken off when what remains is a number; 95555 with the prefix 9 stays the
bank's number, because 5555 is none. After a pause the prefix needs no such proof.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from ippbx_billing.calls import Classification, Direction, LineKind, Reason, TrafficType
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.numbering import china, tables, world
from ippbx_billing.numbering.cleaning import Cleanup, clean
from ippbx_billing.numbering.finding import Finding
from ippbx_billing.numbering.kinds import Kind, Mould
from ippbx_billing.numbering.mobile_places import MobilePlaces, packaged_places
from ippbx_billing.numbering.overrides import Override, Overrides

CACHE_SIZE = 32_768
LONGEST_NUMBER = 32
SHORTEST_FULL_NUMBER = 8
CHINA_CODE = 86
HK_MO_TW = ("HK", "MO", "TW")


def data_version(mobile_places: MobilePlaces | None = None) -> str:
    """Short text that changes whenever the data behind a classification does: tables, world plans, mobile places."""
    return f"{tables.version()}-{world.version()}-{(mobile_places or packaged_places()).version}"


class Numbering:
    """The numbering plan as seen from one site; immutable, and safe to use from several threads.

    `extension_patterns` are full-match regular expressions in which `X` is one digit and `N` any run of digits.
    Raises DataError for a pattern that is none.
    """

    def __init__(
        self,
        *,
        country: str,
        area_code: str,
        outside_prefix: str = "",
        extension_patterns: Sequence[str] = (),
        extensions: Collection[str] = (),
        overrides: Sequence[Override] = (),
        cleanups: Sequence[Cleanup] = (),
        mobile_places: MobilePlaces | None = None,
    ) -> None:
        self._country = country.upper()
        self._area_code = area_code
        self._is_china = self._country == china.COUNTRY
        self._home = tables.area(area_code) if self._is_china and area_code else None
        self._outside_prefix = outside_prefix
        self._extension = _one_pattern(extension_patterns)
        self._extensions = frozenset(extensions)
        calling, trunk = ("86", "0") if self._is_china else world.prefixes(self._country)
        own_code = self._home.active_code if self._home else area_code
        self._area_digits = own_code.removeprefix("0") if trunk == "0" else own_code
        self._calling_code = calling
        self._area_prefix = f"+{calling}{self._area_digits}"
        self._overrides = Overrides(overrides, calling, trunk, self._area_digits)
        self._is_corrected = bool(self._overrides)
        self._cleanups = sorted(cleanups, key=lambda rule: len(rule.matched), reverse=True)
        self._places = mobile_places or packaged_places()
        self._moulds: dict[object, Mould | None] = {}
        self._remembered: dict[tuple[str, Direction], Classification] = {}

    @property
    def country(self) -> str:
        """The home country."""
        return self._country

    @property
    def area_code(self) -> str:
        """The home area code, "" where there is none."""
        return self._area_code

    @property
    def data_version(self) -> str:
        """The version of the data that this site's classifications rest on."""
        return data_version(self._places)

    def classify(self, number: str, direction: Direction = Direction.OUTBOUND) -> Classification:
        """What the number is, called or calling; never raises, repeats are answered from memory."""
        key = (number, direction)
        found = self._remembered.get(key)
        if found is None:
            found = self._decide(number, direction)
            if len(number) <= LONGEST_NUMBER:
                if len(self._remembered) >= CACHE_SIZE:
                    self._remembered.clear()
                self._remembered[key] = found
        return found

    def is_extension(self, number: str) -> bool:
        """Whether the number is one of the site's extensions, by list or by pattern."""
        return self._is_own(clean(number))

    def without_outside_prefix(self, number: str) -> str:
        """A dialled number as it would be known elsewhere: without what was dialled for an outside line."""
        cleaned = clean(number)
        head, _, behind_pause = cleaned.partition(",")
        if self._is_own(cleaned):
            return number
        if behind_pause and (head == self._outside_prefix or len(head) == 1):
            return behind_pause.partition(",")[0]
        return head[len(self._outside_prefix) :] if self._behind_prefix(head) else number

    def _is_own(self, digits: str) -> bool:
        return bool(digits) and (
            digits in self._extensions or bool(self._extension and self._extension.fullmatch(digits))
        )

    def _decide(self, number: str, direction: Direction) -> Classification:
        cleaned = clean(number)
        if direction is Direction.INTERNAL or self._is_own(cleaned):
            return _extension(number, cleaned, direction)
        found = self._by_kind(number, cleaned, direction) or self._with_care(number, cleaned, direction)
        if found is None:
            return _unknown(number, cleaned, self._country)
        return self._corrected(found) if self._is_corrected else found

    def _with_care(self, number: str, cleaned: str, direction: Direction) -> Classification | None:
        """What the plan says of this very number; the definition of what it is."""
        finding = self._calling(cleaned) if direction is Direction.INBOUND else self._called(cleaned)
        return None if finding is None else self._classification(number, finding)

    # -- by what is known of a number's like

    def _by_kind(self, number: str, cleaned: str, direction: Direction) -> Classification | None:
        """The same for a number of a kind that was met before; None where it has to be looked at with care."""
        kind = self._kind_of(cleaned, direction)
        if kind is None:
            return None
        try:
            mould = self._moulds[kind[0]]
        except KeyError:
            if len(self._moulds) >= CACHE_SIZE:
                self._moulds.clear()
            mould = self._moulds[kind[0]] = self._mould(kind, cleaned, direction)
        return None if mould is None else mould.cast(number, kind)

    def _kind_of(self, digits: str, direction: Direction) -> Kind | None:
        """What is told by all but the last digits of a number."""
        if direction is not Direction.INBOUND:
            prefix = self._outside_prefix
            if prefix and digits.startswith(prefix):
                digits = digits[len(prefix) :]
            if self._cleanups and any(rule.fits(digits) for rule in self._cleanups):
                return None
        if not digits.isdigit() or digits.startswith("00") or not self._is_china:
            return self._kind_abroad(digits)
        if len(digits) > LONGEST_NUMBER or not digits.isascii():
            return None
        return china.kind_of(digits, self._home, self._places)

    def _kind_abroad(self, digits: str) -> Kind | None:
        if digits.startswith("+"):
            digits = digits[1:]
        elif self._is_china and digits.startswith("00"):
            digits = digits[2:]
        else:
            return None
        if not digits.isdigit() or not digits.isascii() or len(digits) > LONGEST_NUMBER - 2:
            return None
        return None if digits.startswith(("86", self._calling_code)) else world.kind_of(digits)

    def _mould(self, kind: Kind, cleaned: str, direction: Direction) -> Mould | None:
        """What the care for this number tells of all its kind; None where it does not read its neighbour right."""
        found = self._with_care(cleaned, cleaned, direction)
        mould = None if found is None else Mould.of(found, kind)
        if mould is None or mould.cast(cleaned, kind) != found:
            return None
        neighbour = cleaned[:-1] + str((int(cleaned[-1]) + 1) % 10)
        other = self._kind_of(neighbour, direction)
        if other is None or other[0] != kind[0]:
            return mould
        return mould if mould.cast(neighbour, other) == self._with_care(neighbour, neighbour, direction) else None

    # -- from the digits of the record to the number

    def _called(self, cleaned: str) -> Finding | None:
        """The called number: behind a pause, behind the outside-line prefix, or as it stands."""
        head, _, behind_pause = cleaned.partition(",")
        if behind_pause and (head == self._outside_prefix or len(head) == 1):
            return self._tidied(behind_pause.partition(",")[0])
        return self._behind_prefix(head) or self._tidied(head)

    def _calling(self, cleaned: str) -> Finding | None:
        """The calling number: it carries no outside-line prefix, and may lack its trunk zero or its 00."""
        return self._known(cleaned.partition(",")[0], inbound=True)

    def _behind_prefix(self, digits: str) -> Finding | None:
        prefix = self._outside_prefix
        if not prefix or not digits.startswith(prefix) or len(digits) == len(prefix):
            return None
        return self._tidied(digits[len(prefix) :])

    def _tidied(self, digits: str) -> Finding | None:
        """The number after the longest clean-up rule that fits it."""
        rule = next((rule for rule in self._cleanups if rule.fits(digits)), None)
        return self._known(rule.apply(digits) if rule else digits)

    def _known(self, digits: str, inbound: bool = False) -> Finding | None:
        """What the plan says, or at least one of the site's corrections."""
        if not digits or len(digits) > LONGEST_NUMBER:
            return None
        finding = self._in_plan(digits, inbound) if digits.replace("+", "", 1).isdigit() else None
        if finding is None and self._overrides and self._overrides.find(digits):
            return _of_the_site(digits, self._country)
        return finding

    # -- the plans

    def _in_plan(self, digits: str, inbound: bool = False) -> Finding | None:
        if digits.startswith("+"):
            return self._worldwide(digits[1:])
        if "+" in digits:
            return self._behind_carrier_prefix(digits) if self._is_china else None
        return self._in_china(digits, inbound) if self._is_china else self._elsewhere(digits, inbound)

    def _worldwide(self, digits: str) -> Finding | None:
        """Country code and national number; a number of the home area may follow the home country's code."""
        if not digits.startswith("86"):
            parsed = world.parse("+" + digits)
            return world.reading(parsed, strict=False) if parsed else None
        return self._with_home_code(digits[2:]) if self._is_china else self._chinese(digits[2:])

    def _with_home_code(self, digits: str) -> Finding | None:
        """What stands behind +86 at home: a national number, or one of the home area."""
        return china.national(digits, self._places) or china.local(digits, self._home)

    def _chinese(self, digits: str) -> Finding | None:
        """A Chinese number seen from abroad; its services too are known by their international number."""
        finding = china.national(digits, self._places)
        if finding is None or finding.normalized.startswith("+"):
            return finding
        return finding._replace(normalized="+86" + finding.normalized.removeprefix("0"), emergency=False)

    def _in_china(self, digits: str, inbound: bool) -> Finding | None:
        if digits.startswith("00"):
            return self._worldwide(digits[2:])
        finding = self._behind_carrier_prefix(digits) or china.dialled(digits, self._home, self._places)
        if finding is None and digits.startswith("86") and len(digits) >= 2 + SHORTEST_FULL_NUMBER:
            finding = self._with_home_code(digits[2:])
        if finding is None and inbound:
            finding = china.without_trunk_zero(digits) or _without_plus(digits)
        return finding

    def _behind_carrier_prefix(self, digits: str) -> Finding | None:
        """The number behind 17951, 193 and their like; with such a prefix it is longer than any mobile number."""
        if len(digits) <= china.MOBILE_DIGITS or digits[0] != "1":
            return None
        for prefix in tables.carrier_prefixes():
            match = prefix.pattern.match(digits)
            finding = self._in_plan(digits[match.end() :]) if match else None
            if match and finding and finding.line_kind is not LineKind.SERVICE:
                within = (finding.why,)
                why = Reason("behind-carrier-prefix", {"prefix": match[0], "about": prefix.about, "reasons": within})
                return finding._replace(carrier_prefix=match[0], is_ip=prefix.is_ip, why=why)
        return None

    def _elsewhere(self, digits: str, inbound: bool) -> Finding | None:
        """A number dialled in another home country."""
        if finding := world.short(digits, self._country):
            return finding
        for parsed, strict in world.candidates(digits, self._country, self._area_digits, inbound):
            if parsed.country_code == CHINA_CODE:
                finding = self._chinese(str(parsed.national_number))
            else:
                finding = world.reading(parsed, strict=strict, home=self._country)
            if finding and finding.country == self._country:
                return finding._replace(area_code=world.area_code(parsed, self._country))
            if finding:
                return finding
        return None

    # -- how far it is from home

    def _classification(self, number: str, finding: Finding) -> Classification:
        far = self._traffic_type(finding)
        region, place = self._where(finding)
        return Classification(
            number=number,
            normalized=finding.normalized,
            traffic_type=TrafficType.IP_LONG_DISTANCE if finding.is_ip else far,
            line_kind=finding.line_kind,
            country=finding.country,
            region=region,
            place=place,
            operator=finding.operator,
            area_code=finding.area_code,
            emergency=finding.emergency,
            rule="ip-prefix" if finding.is_ip else finding.rule,
            why=Reason(finding.why.code, {**finding.why.facts, "also": (self._distance(finding, far),)}),
            ip_prefix=finding.carrier_prefix,
            underlying=far if finding.is_ip else None,
        )

    def _traffic_type(self, finding: Finding) -> TrafficType:
        if finding.country != self._country:
            near = self._is_china and finding.country in HK_MO_TW
            return TrafficType.HK_MO_TW if near else TrafficType.INTERNATIONAL
        if finding.traffic_type:
            return finding.traffic_type
        return TrafficType.LOCAL if self._is_near(finding) else TrafficType.DOMESTIC

    def _is_near(self, finding: Finding) -> bool:
        """Whether a number at home is of the home area; without area codes the whole country is one."""
        if self._is_china:
            return self._home is not None and finding.area_code == self._home.active_code
        if not self._area_digits:
            return True
        return finding.normalized.startswith(self._area_prefix)

    def _where(self, finding: Finding) -> tuple[str | None, str | None]:
        """Region and place; regions are a matter of Chinese sites."""
        if not self._is_china:
            return None, finding.place
        if finding.country not in HK_MO_TW:
            return finding.region, finding.place
        region, place = tables.longest(tables.hk_mo_tw_places(), finding.normalized[1:]) or (None, None)
        anywhere = finding.country != "TW" or finding.line_kind is LineKind.FIXED
        return region, place if anywhere else None

    def _distance(self, finding: Finding, far: TrafficType) -> Reason:
        if finding.country != self._country:
            return Reason("dialled-from", {"country": self._country})
        if finding.traffic_type:
            return Reason("traffic-of-service", {"traffic": far.value})
        if not self._area_code:
            return Reason("home-without-area-code", {"traffic": far.value, "country": self._country})
        return Reason(
            "inside-home-area" if far is TrafficType.LOCAL else "outside-home-area", {"area_code": self._area_code}
        )

    # -- corrections

    def _corrected(self, found: Classification) -> Classification:
        """The classification with what the site knows better."""
        override = self._overrides.find(found.normalized)
        if override is None:
            return found
        return replace(
            found,
            traffic_type=override.traffic_type or found.traffic_type,
            line_kind=override.line_kind or found.line_kind,
            country=override.country or found.country,
            region=override.region or found.region,
            place=override.place or found.place,
            rule="override",
            why=Reason("override", {"prefix": override.prefix, "reasons": (found.why,)}),
        )


def _without_plus(digits: str) -> Finding | None:
    """A caller's number that begins with a country code; only where that country's plan lists it."""
    parsed = world.parse("+" + digits) if len(digits) >= SHORTEST_FULL_NUMBER else None
    return world.reading(parsed) if parsed else None


def _of_the_site(digits: str, country: str) -> Finding:
    """A number that only an override knows."""
    return Finding(
        normalized=digits,
        line_kind=LineKind.UNKNOWN,
        country=country,
        traffic_type=TrafficType.OTHER,
        rule="unknown",
        why=Reason("no-rule", {"country": country, "digits": digits}),
    )


def _extension(number: str, digits: str, direction: Direction) -> Classification:
    internal = direction is Direction.INTERNAL
    return Classification(
        number=number,
        normalized=digits,
        traffic_type=TrafficType.INTERNAL,
        line_kind=LineKind.EXTENSION,
        rule="internal-call" if internal else "extension",
        why=Reason("said-internal") if internal else Reason("extension-of-site", {"digits": digits}),
    )


def _unknown(number: str, cleaned: str, country: str) -> Classification:
    if cleaned:
        why = Reason("no-rule", {"country": country, "digits": cleaned[:40]})
    else:
        why = Reason("no-telephone-number", {"said": number[:40]}) if number.strip() else Reason("no-number")
    return Classification(
        number=number,
        normalized=cleaned,
        traffic_type=TrafficType.OTHER,
        line_kind=LineKind.UNKNOWN,
        rule="unknown",
        why=why,
    )


def _one_pattern(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """All extension patterns as one regular expression; DataError names the one that is none."""
    parts = []
    for pattern in patterns:
        part = _WILDCARD.sub(lambda found: _WILDCARDS.get(found[0], found[0]), pattern)
        try:
            re.compile(part)
        except re.error as error:
            raise DataError(
                tr("the extension pattern {pattern!r} cannot be read: {error}", pattern=pattern, error=error),
                tr("X is one digit, N any run of digits: 8XXX"),
            ) from error
        parts.append(f"(?:{part})")
    return re.compile("|".join(parts)) if parts else None


_WILDCARD = re.compile(r"\\.|\[[^\]]*\]|[XN]")
_WILDCARDS = {"X": r"\d", "N": r"\d*"}
