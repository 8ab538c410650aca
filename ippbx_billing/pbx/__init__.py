"""Points a PBX at this machine: signs in to its web admin, sets API and event report, applies, reads again.

The one idea: everything on the PBX's screen is found by the words an engineer reads there. The words of a firmware
family stand in `profiles/`; page addresses and option names are never guessed.

    with PbxAdmin("https://192.168.6.169", "admin", password, profile=load_profile("uc")) as pbx:
        changes = plan(pbx.profile, pbx.read_all(wanted), wanted)
        carry_out(pbx, changes)

    problems    how a PBX can disappoint, each with what was and was not done
    profile     the words on the screens of a firmware family
    wording     how its pages and fields are called when we talk of them
    elements    what can be read, followed and pressed in a page's HTML; this and the next three know no connection
    sending     what a browser sends for a form
    forms       a page's fields, by the last label before them
    pages       menu, top bar, list of changes and sign-in form of a page
    connection  requests to the PBX's own address, and the pages that answer
    staging     what waits to be applied, and by whose hand
    session     PbxAdmin: sign-in, pages, save, apply, discard
    plan        what has to change, changing it, and what became of it
    guide       the same by hand, step by step, and why no event comes
    trust       the PBX's certificate, known by its fingerprint
    remembered  what is kept about a PBX in `pbx.toml`
    tokens      the secret path of the event URLs

Import from these, not from here: the listener needs `tokens` and nothing of the rest.
"""
