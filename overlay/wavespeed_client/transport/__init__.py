"""Send a request and return its whole response, or raise an error that says what happened.

    ApiClient            chain.py       makes the request, and gives it the call's context
      ExchangeTransport  exchange.py    attaches the key to a request, and turns its failure into an error; its base,
                                        the RetryTransport of httpx-retries, tries again as retry.py allows
        AttemptTransport   attempt.py   one attempt, with limits on its time and the size of its response
          a link                        sends the request, and gives its response to the attempt to read:
            Pools        httpx1/pools   httpx's own transport, one for each request under way
            aiohttp      aiohttp.py     the optional engine of AsyncWaveSpeed
            Borrowed     borrowed.py    the caller's own HTTP client

The options of a call for the transport are one extension of its request, the `Context`, until `ExchangeTransport` puts
the `Exchange` in its place. submission.py decides what a response proves about a submission. `Exchange.sent` is true
once a link has the request, except while the link reports that it is still connecting.
"""
