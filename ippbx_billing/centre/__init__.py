"""Where the inboxes of many sites meet: one PostgreSQL that holds the bytes, the calls, and their sums.

    centre init DSN      schema                the tables; every key begins with the site
    centre collect       collecting            takes the sites' batches, each row once
    centre rate          rating                calls and charges out of the rows, with the centre's own books
    centre sites, books  registry, books       who may send, and by which rules their calls are rated

The one idea: the centre works out everything again from the bytes, by the same code as a site. A site that reads the
same events by the same books has the same calls and sums, to the digit.
"""
