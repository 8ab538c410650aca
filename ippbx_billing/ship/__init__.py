"""The edge of many sites: events leave the inbox by position, until the centre has them.

    batch = batches.Batch("hq", epoch, after=0, last=1000, events=[...])
    headers, body = batches.packed(batch, key)

The one idea: the inbox keeps every byte and gives each event a position, so the centre need only say how far it has
got. A batch that was lost is sent again from there, and one that came twice is there already.
"""
