"""What may be asked of the centre; apart from what asks it, so that the command line loads no database."""

from enum import StrEnum


class CentreBy(StrEnum):
    """What a report of the centre tells apart."""

    SITE = "site"
    DAY = "day"
    DEPARTMENT = "department"
    TRAFFIC_TYPE = "traffic_type"
    DIRECTION = "direction"
    EXTENSION = "extension"
