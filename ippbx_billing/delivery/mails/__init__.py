"""Bills and reports by mail, period by period: each mail once, whoever sends, and only for days that are over.

A sibling is one idea: `wanted` what somebody asks for, checked; `periods` when which period is due; `making` the files
of a period; `letters` what stands in a mail; `sending` the way from the table to the mail server; `bounces` what came
back from it later.
"""
