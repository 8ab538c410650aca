"""XML as PBXs write it: elements as objects of their attributes and children, names without their name spaces.

    read_xml('<cdr><caller>8001</caller></cdr>')  ->  {"cdr": {"caller": "8001"}}, False

The caller has seen to it that there is no document type and no tag of endless length.
"""

import re
from typing import Any

from ippbx_billing.dialects.json_bodies import JUNK, joined

MOST_ELEMENTS_DEEP = 250  # whatever the bounds; the parser itself goes no deeper
_WELL_FORMED_TAG = re.compile(r"""<(?=/?[A-Za-z_][\w.\-]*(?:\s+[\w:.\-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/?>|[?!])""")


def read_xml(text: str) -> tuple[dict[str, Any] | None, bool]:
    """The document, None where there is none, and whether it had to be repaired."""
    from lxml import etree

    bare = re.sub(r"^<\?xml[^>]*\?>", "", text.replace("\0", "")).strip(JUNK)
    root, repaired = _root(etree, bare, recover=False), False
    if root is None:  # variable names as tags: what is not a tag becomes text, then the parser repairs the rest
        tags = _WELL_FORMED_TAG.sub("\0", bare)
        root, repaired = _root(etree, tags.replace("<", "&lt;").replace("\0", "<"), recover=True), True
    if root is None or not isinstance(root.tag, str):
        return None, repaired
    return {_local(root.tag): _element(root)}, repaired


def _root(etree: Any, text: str, *, recover: bool) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _element(element: Any, depth: int = 0) -> Any:
    """An element as text, or as an object of its attributes and children."""
    text = (element.text or "").strip()
    if depth > MOST_ELEMENTS_DEEP or (not len(element) and not element.attrib):
        return text
    pairs = [(_local(name), value) for name, value in element.attrib.items()]
    pairs += [(_local(child.tag), _element(child, depth + 1)) for child in element if isinstance(child.tag, str)]
    return joined(pairs + ([("text", text)] if text else []))
