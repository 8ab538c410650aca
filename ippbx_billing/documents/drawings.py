"""Charts as SVG for a page: nothing but shapes and texts, coloured by the page's style sheet.

    sparkline(values)                       # a small line without words
    chart(Chart("bar", "extension", "fee", "Fee"), columns, rows, links)

Every text is escaped here; no script, no style and no address from elsewhere is ever in one.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape

from ippbx_billing.documents.charts import Points, points
from ippbx_billing.documents.columns import Column, Row, harmless
from ippbx_billing.documents.document import Chart

SPARK_WIDTH, SPARK_HEIGHT = 120, 28
BAR, WIDTH = 22, 800

Link = Callable[[int], str | None]  # where a click on the bar of this place leads


def sparkline(values: Sequence[Decimal], about: str) -> str:
    """The course of some values, the last one marked; nothing where there are fewer than two."""
    if len(values) < 2:
        return ""
    step = SPARK_WIDTH / (len(values) - 1)
    top = max(*values, Decimal(1))
    places = [
        (step * place, SPARK_HEIGHT - 3 - (SPARK_HEIGHT - 6) * float(max(value, Decimal(0)) / top))
        for place, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return (
        f'<svg class="spark" viewBox="-3 0 {SPARK_WIDTH + 6} {SPARK_HEIGHT}" role="img" aria-label="{_text(about)}">'
        f'<polyline class="line" points="{line}"/><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )


def chart(wanted: Chart, columns: Sequence[Column], rows: Sequence[Row], link: Link = lambda _: None) -> str:
    """The chart of a report's rows; nothing where there is nothing to compare."""
    data = points(wanted, columns, rows)
    if len(data.values) < 2:
        return ""
    body, height = _bars(data, link) if data.kind == "bar" else _curve(data)
    label = f'role="img" aria-label="{_text(wanted.title)}"'
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" {label}>{body}</svg>'


def _bars(data: Points, link: Link) -> tuple[str, int]:
    lines = []
    for place, (label, value, text) in enumerate(zip(data.labels, data.values, data.texts, strict=True)):
        top, width = BAR * place, 480 * data.share(value)
        bar = (
            f'<text x="200" y="{top + 15}" text-anchor="end">{_text(label)}</text>'
            f'<rect class="bar" x="208" y="{top + 3}" width="{width:.1f}" height="16"/>'
            f'<text x="{214 + width:.1f}" y="{top + 15}">{_text(text)}</text>'
        )
        address = link(place)
        lines.append(f'<a href="{escape(address)}">{bar}</a>' if address else bar)
    return "".join(lines), BAR * len(lines)


def _curve(data: Points) -> tuple[str, int]:
    step = 740 / max(len(data.values) - 1, 1)
    path = " ".join(f"{30 + step * place:.1f},{170 - 150 * data.share(value):.1f}" for place, value in data.numbered())
    marks = "".join(
        f'<text x="{30 + step * place:.1f}" y="190" text-anchor="middle">{_text(data.labels[place])}</text>'
        for place in data.marked(8)
    )
    top = f'<text x="30" y="12">{_text(data.texts[data.highest])}</text>'
    return f'{top}<path class="axis" d="M30 170H770"/><polyline class="line" points="{path}"/>{marks}', 200


def _text(text: str) -> str:
    return escape(harmless(text))
