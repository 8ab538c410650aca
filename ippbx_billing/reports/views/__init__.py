"""How answers look on every face: titles, columns and rows, for the command line, a page, mail and cron alike.

    columns = calls.columns(currency)          # then any writer of `documents`
    sheet = sums.sheet(report(ledger, view, period, ("extension",)), None, None)

A sibling is one kind of answer. Texts are made when a view is asked for, in the language of whoever reads; nothing here
prints, reads options, or knows which face is asking.
"""
