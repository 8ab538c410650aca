"""A UC to practise on: a web admin like the real one's, and telephone calls once its event report is applied.

The one idea: it behaves as an engineer would see the device behave, so whatever works here has been through sign-in,
saving and applying, and what it cannot show (the wording and bodies of a certain firmware) only a real UC can.

    pbx = PracticePbx(Firmware(language="en"))
    serve(pbx, host="127.0.0.1", port=8088, habits=Habits(calls_per_minute=12))

    firmware   what differs between firmwares, and the faults that can be provoked
    screens    menu, pages and options, from screens.toml
    state      accounts, sessions, staged and applied settings; no HTTP
    pages      the HTML
    web        the addresses, and `serve`
    calling    calls placed by the applied settings, and how their events are delivered
    identity   a self-signed certificate made at the start

It is a tool for practice and tests. Nothing that runs in front of a real PBX imports it.
"""

from ippbx_billing.simulation.practice_pbx.firmware import Firmware, PracticeFault
from ippbx_billing.simulation.practice_pbx.state import PracticePbx

__all__ = ["Firmware", "PracticeFault", "PracticePbx"]
