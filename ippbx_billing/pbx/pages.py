"""One page of the PBX's web admin, read from its HTML: menu, forms, top bar, sign-in. Pure; no connection.

page = Page(html, "https://192.168.6.169/luci/;stok=7f/admin/service/events")
page.form_with(profile.pages["events"])      # see `forms`
page.staged(profile)                         ->  False
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ippbx_billing.language import tr
from ippbx_billing.pbx.elements import (
    Element,
    ParsedHtml,
    caption,
    classes,
    form_of,
    in_cbi,
    is_decoy,
    leads_somewhere,
    own_text,
    submits,
    text_of,
    visible,
)
from ippbx_billing.pbx.forms import Form
from ippbx_billing.pbx.problems import WordingUnknown
from ippbx_billing.pbx.profile import Label, PageProfile, Profile, SignIn
from ippbx_billing.pbx.sending import Request, submission
from ippbx_billing.pbx.wording import drawn_by_script, shown_path, wording_hint

ANONYMOUS = "?"  # something is staged, and nobody can tell what
APPLY = ("saveapply", "apply")
DISCARD = ("revert",)
_COMPLAINTS = {"cbi-section-error", "errorbox", "error", "cbi-input-invalid-text"}
_OPTION = re.compile(r"\s*(?:uci\s+\w+\s+)?([\w-]+\.[^\s.=]+(?:\.[\w-]+)?)\s*(?:[-+]?=|\s|$)")


class Page(ParsedHtml):
    """A page as a browser without scripts sees it."""

    def sign_in_form(self, sign_in: SignIn, known: tuple[str, str] | None = None) -> "SignInForm | None":
        """The form that asks for user and password, if this is the page that does.

        Once the sign-in page is `known` by the names of its fields, only those count: a page of settings may hold one
        password field as well.
        """
        found = ((form, _asks_for(form, sign_in)) for form in self.root.forms)
        asking = (SignInForm(form, *names) for form, names in found if names and known in (None, names))
        return next(asking, None)

    def staged_names(self) -> frozenset[str]:
        """What this list of changes names, as `config.section.option`; ANONYMOUS where its words are not understood."""
        lists = [one for one in self.root.iter() if "uci-change-list" in classes(one)]
        names = {name for one in lists for name in _names_in(one)}
        return frozenset(names or {ANONYMOUS}) if lists else frozenset()

    def script_action(self, node: str) -> Request | None:
        """What this page's script posts to change something: the address of the node with the session's two secrets."""
        script = "\n".join(one.text or "" for one in self.root.iter("script"))
        secrets = [re.search(rf"""['"]?\b{name}['"]?\s*:\s*['"]([^'"]+)""", script) for name in ("sid", "token")]
        if "uci" not in script or not all(secrets):
            return None
        fields = tuple((name, found.group(1)) for name, found in zip(("sid", "token"), secrets, strict=True) if found)
        return Request("POST", urljoin(self.url, node), fields)

    def node(self, path: str) -> str:
        """The address of a node of this session, such as `admin/uci/changes`, as the page's own links are built."""
        hrefs = [one.get("href") or "" for one in self.root.iter("a")] + [urlsplit(self.url).path]
        roots = [found.group(1) for href in hrefs if (found := re.match(r"(\S*?)/admin(?:[/?]|$)", href))]
        root = next((one for one in roots if ";stok=" in one), next(iter(roots), urlsplit(self.url).path.rstrip("/")))
        return urljoin(self.url, f"{root}/{path}")

    def drawn_by_script(self) -> bool:
        """Whether the page is empty until a browser's script draws it, as in LuCI from 2019 on."""
        scripts = "\n".join(f"{one.get('src') or ''} {one.text or ''}" for one in self.root.iter("script"))
        return bool(re.search(r"\bL\.require\b|\bnew LuCI\b|/luci\.js\b", scripts))

    def blank(self) -> bool:
        """Whether there is nothing on it, as on the answer to a session that ended or to a user without rights."""
        return not self.text().strip() and not any(self.root.iter("form", "a", "script", "img", "meta", "frame"))

    def refresh(self) -> str | None:
        """Where the page sends a browser by itself, as the root of a LuCI does."""
        for meta in self.root.iter("meta"):
            if meta.get("http-equiv", "").casefold() == "refresh":
                found = re.search(r"url\s*=\s*['\"]?([^'\"\s]+)", meta.get("content", ""), re.IGNORECASE)
                return urljoin(self.url, found.group(1)) if found else None
        return None

    def menu_link(self, path: Sequence[Label]) -> str | None:
        """The address of the menu entry at the end of the path: the first of that name after each of its parents."""
        elements = [one for one in self.root.iter() if isinstance(one.tag, str)]  # folded menus are hidden, but there
        start = 0
        for label in path[:-1]:
            positions = [at for at, one in enumerate(elements) if at >= start and label.knows(own_text(one))]
            if not positions:
                return None
            start = positions[0]
        links = (one for one in elements[start:] if one.tag == "a" and leads_somewhere(one))
        href = next((one.get("href") for one in links if path[-1].knows(text_of(one))), None)
        return urljoin(self.url, href) if href else None

    def form_with(self, profile: PageProfile) -> "Form":
        """The form with the page's fields; raises WordingUnknown and names what is missing."""
        forms = [form for form in self.root.forms if form.get("name") == "cbi"] or list(self.root.forms)
        found = [Form(self, form, profile) for form in forms]
        best = max(found, key=lambda form: form.known, default=None)
        if (best is None or not best.known) and self.drawn_by_script():
            raise drawn_by_script(shown_path(profile))
        if best is None or not best.known:
            raise WordingUnknown(
                tr(
                    "the PBX's page {page} has no field by its zh or en name; its language is {language!r}.",
                    page=shown_path(profile),
                    language=self.root.get("lang") or "?",
                ),
                wording_hint(),
            )
        return best

    def action(self, label: Label, endpoints: Sequence[str], staged: Label) -> Request | None:
        """The link or button of the top bar: by its address under `admin/uci/`, else by its name beside the notice."""
        actions = list(self._actions())
        for endpoint in endpoints:
            for _, request in actions:
                if re.search(rf"admin/uci/{endpoint}(?:[/?]|$)", request.url):
                    return request
        named = [(one, request) for one, request in actions if label.knows(caption(one))]
        return _beside(self._notice(staged), named)

    def staged(self, profile: Profile) -> bool:
        """Whether the top bar says that saved changes wait to be applied."""
        if self._notice(profile.words["staged"]) is not None:
            return True
        return self.action(profile.words["apply"], APPLY, profile.words["staged"]) is not None

    def changes_link(self) -> str | None:
        """The address of the page that lists staged changes."""
        links = (one.get("href") for one in visible(self.root) if one.tag == "a")
        return next((urljoin(self.url, href) for href in links if href and "admin/uci/changes" in href), None)

    def complaint(self) -> str:
        """What the page says is wrong, when it marks it as LuCI does: the field's label, and the sentence."""
        refused = [one for one in self.root.iter() if "cbi-value-error" in classes(one)]
        labels = [
            text_of(title) for one in refused for title in one.iter("label") if "cbi-value-title" in classes(title)
        ]
        named = ", ".join(" ".join(label.split()) for label in dict.fromkeys(labels))
        return ": ".join(filter(None, (named, self._marked())))

    def _marked(self) -> str:
        for one in visible(self.root):
            marks = set(one.get("class", "").split()) & _COMPLAINTS
            if marks and (said := " ".join(text_of(one).split())):
                return said[:200]
        return ""

    def restarts(self) -> tuple[Request, str] | None:
        """What the page's script does after an apply: the request that restarts services, and where it asks if done."""
        script = "\n".join(one.text or "" for one in self.root.iter("script"))
        restart = re.search(r"\.(get|post)\(\s*['\"]([^'\"]*/servicectl/restart[^'\"]*)['\"]([^,]*,?[^,]*)", script)
        if restart is None:
            return None
        token = re.search(r"token\s*:\s*['\"]([^'\"]+)", restart.group(3))
        fields = (("token", token.group(1)),) if token else ()
        status = re.search(r"['\"]([^'\"]*/servicectl/status[^'\"]*)['\"]", script)
        request = Request(restart.group(1).upper(), urljoin(self.url, restart.group(2)), fields)
        return request, urljoin(self.url, status.group(1)) if status else ""

    def _notice(self, staged: Label) -> "Element | None":
        """The innermost element outside the page's own form that says there are staged changes."""
        says = [one for one in visible(self.root) if staged.within(own_text(one)) and not in_cbi(one)]
        return says[-1] if says else None

    def _actions(self) -> Iterator[tuple[Element, Request]]:
        """Every link and button outside the page's own form, with what it sends."""
        for one in visible(self.root):
            pressed = re.search(r"['\"]([^'\"]*admin/uci/[^'\"]+)['\"]", one.get("onclick") or "")
            if pressed:
                yield one, Request("GET", urljoin(self.url, pressed.group(1)))
            elif one.tag == "a" and leads_somewhere(one):
                yield one, Request("GET", urljoin(self.url, one.get("href")))
            elif submits(one) and not in_cbi(one) and (form := form_of(one)) is not None:
                yield one, submission(form, self.url, one)


@dataclass(frozen=True, slots=True)
class SignInForm:
    """The form that asks for user and password, and what its two fields are called."""

    element: Element
    user_field: str
    password_field: str


def _asks_for(form: Element, sign_in: SignIn) -> tuple[str, str] | None:
    """The names of the form's fields for user and password, if it asks for them."""
    inputs = [one for one in form.iter("input") if one.get("name") and not is_decoy(one)]
    names = {one.get("name") for one in inputs}
    if "cbi.submit" in names or form.get("name") == "cbi":
        return None
    if known := next((pair for pair in sign_in.pairs if pair[1] in names), None):
        return known
    secrets = [one.get("name") for one in inputs if one.get("type") == "password"]
    users = [one.get("name") for one in inputs if (one.get("type") or "text") == "text"]
    return (next(iter(users), sign_in.user_field), secrets[0]) if len(secrets) == 1 else None


def _names_in(changes: Element) -> Iterator[str]:
    """The options that a list of changes names: at the start of each of its entries, and of their lines."""
    for one in changes.iter("ins", "del", "var", "li", "br"):
        text = one.tail or "" if one.tag == "br" else text_of(one)
        if found := _OPTION.match(text):
            yield found.group(1)


def _beside(notice: Element | None, named: list[tuple[Element, Request]]) -> Request | None:
    """The action in the same bar as the notice; a menu may have an entry of the same name further away."""
    around = [] if notice is None else [notice, *list(notice.iterancestors())[:3]]
    inside = (request for part in around for one, request in named if part in one.iterancestors())
    return next(inside, None)
