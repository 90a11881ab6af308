"""From a request to a whole response, whatever happens on the way.

    ApiClient            chain.py       makes the request, and gives it the call's context
      ExchangeTransport  exchange.py    one request with all its tries: attaches the key, turns failures into errors
        RetryTransport   httpx-retries  tries again as retry.py allows
          AttemptTransport  attempt.py  one try, bounded in time, and its response in size
            a link                      sends the request and hands out its response:
              Pools      httpx1/pools   httpx's own transport, one for each request under way
              aiohttp    aiohttp.py     the optional engine of AsyncWaveSpeed
              Borrowed   borrowed.py    a client of the caller's

What a call asks of the transport travels on the request as one extension, its `Context`. submission.py says what a
response proves about a submission. Whether a request counts as sent is one attribute, `Exchange.sent`: true from the
moment a link gets it, except while that link reports that it is still connecting.
"""
