"""The practice PBX's HTML, as a LuCI of the `;stok=` generation writes it.

Everything that differs between firmwares is asked of the firmware; everything shown goes through `escape`.
"""

import json
from html import escape

from ippbx_billing.simulation.practice_pbx.firmware import PracticeFault
from ippbx_billing.simulation.practice_pbx.screens import Names, Option, Screen, menu, words
from ippbx_billing.simulation.practice_pbx.state import PracticePbx, Session


class PracticePages:
    """Writes the pages of one device."""

    def __init__(self, pbx: PracticePbx) -> None:
        self.pbx = pbx
        self.firmware = pbx.firmware

    def sign_in(self, address: str, complaint: str = "") -> str:
        """The form that asks for user and password."""
        error = f'<div class="error">{self._word(complaint)}</div>' if complaint else ""
        button = "" if complaint == "locked" else f'<input type="submit" value="{self._word("sign_in")}" />'
        return self._html(
            f'<form method="post" action="{escape(address)}">{error}'
            f'<label class="cbi-value-title">{self._word("user")}</label>'
            f'<input class="cbi-input-user" type="text" name="{self.sign_in_fields[0]}" value="admin" />'
            f'<label class="cbi-value-title">{self._word("password")}</label>{self._decoy()}'
            f'<input class="cbi-input-password" type="password" name="{self.sign_in_fields[1]}" />{button}</form>'
        )

    @property
    def sign_in_fields(self) -> tuple[str, str]:
        """The names under which user and password are posted."""
        return ("username", "password") if self.firmware.old_sign_in else ("luci_username", "luci_password")

    def entrance(self) -> str:
        """The page at the root, which leads to the program."""
        return f'<html><head><meta http-equiv="refresh" content="0; URL={self.firmware.script}/" /></head></html>'

    def home(self, session: Session, node: str) -> str:
        """A page without settings."""
        return self._framed(session, node, f"<h2>{self._word('title')}</h2>")

    def screen(self, session: Session, screen: Screen, wrong: list[Option]) -> str:
        """A page of options as a form."""
        if self.firmware.drawn_by_script:
            script = "<script>L.require('ui').then(function(ui) { new ui.instantiateView('service/form'); });</script>"
            return self._framed(session, screen.node, f'<div id="view"></div>{script}')
        address = escape(self.address(session, screen.node))
        errors = "".join(f'<div class="cbi-section-error">{self._complaint(one)}</div>' for one in wrong)
        token = f'<input type="hidden" name="token" value="{session.token}" />' if self.firmware.token else ""
        return self._framed(
            session,
            screen.node,
            f'<h2>{self._name(screen.label)}</h2><form method="post" name="cbi" action="{address}" '
            f'enctype="multipart/form-data">{token}<input type="hidden" name="cbi.submit" value="1" />'
            f'{errors}{self._section(screen, wrong)}{self._conditions(screen)}<div class="cbi-page-actions">'
            f'<input type="button" value="{self._word("reset")}" onclick="location.href=\'{address}\'" />'
            f'<input type="button" name="cbi.cancel" value="{self._word("cancel")}" />'
            f'<input class="cbi-button-save" type="submit" value="{self._word("save")}" /></div></form>',
        )

    def changes(self, session: Session) -> str:
        """The list of staged changes with the buttons that plain LuCI has there."""
        rows = "".join(
            f"<var><ins>{escape(key)}=<strong>{escape(' '.join(value))}</strong></ins></var><br />"
            for key, value in self.pbx.staged.items()
        )
        listed = f'<div class="uci-change-list">{rows}</div>' if rows else ""
        buttons = self._bar_buttons(session) if rows or PracticeFault.ALWAYS_NOTICE in self.pbx.faults else ""
        return self._framed(session, "admin/uci/changes", f'<fieldset class="cbi-section">{listed}</fieldset>{buttons}')

    def applied(self, session: Session, configs: list[str]) -> str:
        """The answer to an apply; where the firmware says so, with the script that restarts the services."""
        if not self.firmware.restart_by_script:
            return self._framed(session, "admin/uci/saveapply", f"<p>{self._word('applied')}</p>")
        restart = self.address(session, "servicectl/restart/" + ",".join(configs))
        status = self.address(session, "servicectl/status")
        call = f"post('{restart}', {{ token: '{session.token}' }}" if self.firmware.token else f"get('{restart}', null"
        return self._framed(
            session,
            "admin/uci/saveapply",
            f'<fieldset class="cbi-section"><legend>{self._word("applying")}</legend>'
            f'<script type="text/javascript">//<![CDATA[\nvar apply_xhr = new XHR();\napply_xhr.{call},\n'
            f"function() {{ apply_xhr.get('{status}', null, function(x) {{}}); }});\n//]]></script></fieldset>",
        )

    def message(self, session: Session, word: str) -> str:
        """A page that says one thing is wrong."""
        return self._framed(session, "", f'<div class="errorbox">{self._word(word)}</div>')

    def address(self, session: Session, node: str) -> str:
        """The address of a node in this session."""
        token = f";stok={session.stok}/" if self.firmware.stok else ""
        return f"{self.firmware.script}/{token}{node}"

    def _framed(self, session: Session, node: str, content: str) -> str:
        user = f'<span class="user">{escape(self.firmware.admin_user)}</span>'
        return self._html(
            f'<div class="header">{self._bar(session)}{user}</div>'
            f'<ul class="nav">{self._menu(session, node)}</ul><div id="maincontent">{content}</div>'
        )

    def _html(self, body: str) -> str:
        spoken = escape(self.firmware.spoken or self.firmware.language)
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "xhtml1-strict.dtd">\n'
            f'<html xmlns="http://www.w3.org/1999/xhtml" lang="{spoken}"><head>'
            '<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />'
            f"<title>{self._word('title')}</title></head><body>{body}</body></html>"
        )

    def _bar(self, session: Session) -> str:
        if not self.pbx.staged and PracticeFault.ALWAYS_NOTICE not in self.pbx.faults:
            return ""
        if PracticeFault.SCRIPT_BUTTONS in self.pbx.faults:
            buttons = "".join(
                f'<input type="button" class="btn" id="bar-{word}" value="{self._word(word)}" />'
                for word in ("apply", "discard")
            )
            return f'<div class="unapplied"><span>{self._word("staged")}</span>{buttons}</div>'
        if self.firmware.bar_of_links:
            address = escape(self.address(session, "admin/uci/changes"))
            return f'<a class="label notice" href="{address}">{self._word("changes")}: {len(self.pbx.staged)}</a>'
        return f'<div class="unapplied"><span>{self._word("staged")}</span>{self._bar_buttons(session)}</div>'

    def _bar_buttons(self, session: Session) -> str:
        if not self.firmware.unchecked:
            return self._button(session, "apply", "saveapply") + self._button(session, "discard", "revert")
        auth = f'{{ "sid": "{session.stok}", "token": "{session.token}" }}'
        address = self.address(session, "admin/uci")
        buttons = "".join(
            f'<input class="cbi-button" type="button" value="{self._word(word)}" onclick="{call}" />'
            for word, call in (("apply", "uci_apply(true); return false"), ("discard", "uci_revert(); return false"))
        )
        script = f"var uci_auth = {auth};\nfunction uci_apply() {{ new XHR().post('{address}/' + step(), uci_auth); }}"
        return f"{buttons}<script>//<![CDATA[\n{script}\n//]]></script>"

    def _button(self, session: Session, word: str, node: str) -> str:
        address = escape(self.address(session, f"admin/uci/{node}"))
        if not self.firmware.token:
            return f'<a class="btn" href="{address}">{self._word(word)}</a>'
        return (
            f'<form class="inline" method="post" action="{address}">'
            f'<input type="hidden" name="token" value="{session.token}" />'
            f'<input class="btn" type="submit" value="{self._word(word)}" /></form>'
        )

    def _menu(self, session: Session, node: str) -> str:
        entries = []
        for group in menu():
            screens = [screen for screen in group.screens if screen in list(self.pbx.screens())]
            if self.firmware.folded_menu and not node.startswith(group.node):
                screens = []
            below = "".join(f"<li>{self._link(session, one.node, one.label)}</li>" for one in screens)
            folded = "" if node.startswith(group.node) else ' style="display: none"'
            entries.append(
                f"<li>{self._link(session, group.node, group.label)}{f'<ul{folded}>{below}</ul>' if below else ''}</li>"
            )
        return "".join(entries)

    def _link(self, session: Session, node: str, label: Names) -> str:
        return f'<a href="{escape(self.address(session, node))}"><i class="icon"></i> {self._name(label)}</a>'

    def _section(self, screen: Screen, wrong: list[Option]) -> str:
        options = self.pbx.options(screen)
        if not screen.tabs:
            return f'<fieldset class="cbi-section">{self._rows(screen, options, wrong)}</fieldset>'
        section = f"{screen.config}.{screen.section}"
        heads = "".join(
            f'<li id="tab.{section}.{name}" class="cbi-tab"><a href="#">{self._name(label)}</a></li>'
            for name, label in screen.tabs
        )
        bodies = "".join(
            f'<div class="cbi-tabcontainer" id="container.{section}.{name}"{_hidden(number > 0)}>'
            f"{self._rows(screen, [one for one in options if one.tab == name], wrong)}</div>"
            for number, (name, _) in enumerate(screen.tabs)
        )
        chosen = f'<input type="hidden" id="tab.{section}" name="tab.{section}" value="{screen.tabs[0][0]}" />'
        return f'<ul class="cbi-tabmenu">{heads}</ul>{chosen}{bodies}'

    def _conditions(self, screen: Screen) -> str:
        """The script that takes rows out of the page while their condition is not met."""
        if self.firmware.conditions_in_rows:
            return ""
        calls = [
            f'cbi_d_add("cbi-{screen.key(one).replace(".", "-")}", {self._condition(screen, one)}, "");'
            for one in self.pbx.options(screen)
            if one.depends
        ]
        return f'<script type="text/javascript">{chr(10).join(calls)}</script>' if calls else ""

    def _condition(self, screen: Screen, option: Option) -> str:
        wanted = {f"cbid.{screen.config}.{screen.section}.{name}": value for name, value in option.depends.items()}
        return json.dumps(wanted)

    def _rows(self, screen: Screen, options: list[Option], wrong: list[Option]) -> str:
        rows: list[str] = []
        for option in options:
            control = self._control(screen, option)
            if option.beside:
                rows[-1] = rows[-1].replace("<!--beside-->", control)
                continue
            key = screen.key(option)
            marked = " cbi-value-error" if option in wrong and option.required else ""
            depends = ""
            if option.depends and self.firmware.conditions_in_rows:
                depends = f' data-depends="{escape("[" + self._condition(screen, option) + "]")}"'
            rows.append(
                f'<div class="cbi-value{marked}" id="cbi-{key.replace(".", "-")}"{depends}>'
                f'<label class="cbi-value-title" for="cbid.{key}">{self._name(option.label)}</label>'
                f'<div class="cbi-value-field">{control}<!--beside--></div></div>'
            )
        return "".join(rows)

    def _control(self, screen: Screen, option: Option) -> str:
        key = screen.key(option)
        name = f'id="cbid.{key}" name="cbid.{key}"'
        values = self.pbx.value(key)
        if option.kind == "switch":
            if self.firmware.radios:
                return "".join(
                    f'<input type="radio" id="cbid.{key}-{value}" name="cbid.{key}" value="{value}"'
                    f'{checked} /><label for="cbid.{key}-{value}">{self._word(word)}</label>'
                    for value, word, checked in (
                        ("1", "on", _checked(bool(values))),
                        ("0", "off", _checked(not values)),
                    )
                )
            on = _checked(bool(values))
            twin = f'<input type="hidden" name="cbi.cbe.{key}" value="1" />'
            return f'{twin}<input type="checkbox" class="switch" {name} value="1"{on} />'
        if option.kind == "select":
            choices = "".join(
                f'<option value="{one}"{_selected(one in values)}>{one}</option>' for one in option.choices
            )
            return f"<select {name}>{choices}</select>"
        if option.kind == "list":
            return "".join(f'<input type="text" name="cbid.{key}" value="{escape(one)}" />' for one in values)
        if option.kind == "area":
            return f"<textarea {name}>{escape(''.join(values))}</textarea>"
        kind = "password" if option.kind == "password" else "text"
        decoy = self._decoy() if option.kind == "password" else ""
        return f'{decoy}<input type="{kind}" {name} value="{escape("".join(values))}" />'

    def _decoy(self) -> str:
        """What 18.06 puts before a password field, so that browsers fill in this one."""
        style = 'style="position: absolute; left: -100000px"'
        return f'<input type="password" aria-hidden="true" {style} />' if self.firmware.decoys else ""

    def _complaint(self, option: Option) -> str:
        if option.required:
            return self._word("missing")
        return f"{self._name(option.label)}: {self._word('invalid')}"

    def _name(self, label: Names) -> str:
        foreign = label.get("pl") if PracticeFault.LANGUAGES in self.pbx.faults else None
        text = foreign or label.get(self.firmware.language, label.get("en", ""))
        return escape(self.firmware.renamed.get(text, text))

    def _word(self, word: str) -> str:
        return self._name(words()[word])


def _hidden(hidden: bool) -> str:
    return ' style="display:none"' if hidden else ""


def _checked(chosen: bool) -> str:
    return ' checked="checked"' if chosen else ""


def _selected(chosen: bool) -> str:
    return ' selected="selected"' if chosen else ""
