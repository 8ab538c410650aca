"""The web page: what the command line can do, for people who never open a terminal.

    application(using)      # the Starlette application
    serve(using)            # on its own port, in a process of its own

The one idea: a page is a function that is handed a `Desk` (who asks, what they may see, the open files) and gives an
answer; everything that must never be forgotten stands once, around all of them. `frame` guards what comes in and
goes out, `ways` says who may go where, `desk` is what a page works with, `pages` holds the pages, each with its own
templates, `live` the stream of new calls, `downloads` what is written while it is sent, `process` the process.

Nothing here asks a database or reckons: that is done by reports, views and use cases, so that every face says the same.
"""
