"""The server: a page, an HTTP interface and MCP over the same libraries, safe by default.

How a request goes: `security` (host, origin, token, body, headers; on every route) → a route of `routes` → its parameters, read
by `parameters` into a frozen dataclass → `Service.run`, which gives it a thread of a bounded pool → a function of `pages` or
`api`, which asks a `Library` and returns a view → `respond`, which renders the view as HTML (`templates`) or JSON.

    config.py      what the server was started with; frozen
    service.py     the libraries, opened once; reading and writing them
    work.py        the bounded pool: limits, time, cancelling
    security.py    who may ask (host, origin, token); bodies.py: how large and how slow a body may be
    parameters.py  one parser of parameters, from dataclasses
    route.py       what a page and an endpoint are; routes.py: the list of all of them
    respond.py     views as HTML and JSON, errors as one sentence
    app.py         the ASGI application; run.py: the process around it
    pages/         one file a page: parameters, view, function; templates/ and static/ belong to them
    api/           one file an endpoint: JSON, server-sent events, the OpenAI protocol, metrics
    client.py      `bookwheel.connect`

Nothing here decides what a `Library` does not: what a request can do, a few lines of Python can do.
"""
