"""Alerts leave the house: channels, the texts they get, and the sender that takes them there.

A sibling is one idea: `channels` the file of channels with its secrets, `http` and `mail` how each kind is spoken to,
`texts` what people read, `sender` from the outbox to the channel, `probes` what is measured beside the calls,
`running` the process beside the listener that does all of it.
"""
