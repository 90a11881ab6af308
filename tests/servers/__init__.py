"""The servers that tests talk to. Use the first one that can show what the test needs.

- `FakeWaveSpeed`, which users get too, by the fixture `fake`: the service's documented behaviour over HTTP.
- `in_process.Service`, by the fixtures `service` and `attach`: the service as a transport, with neither sockets nor
  waiting. For many tasks, and for anything that counts requests.
- `raw.RawServer`, by the fixture `raw_server` or built in place: exact bytes over a socket. For responses that the
  stand-in would never send, for what happens to connections, and for storage hosts, proxies and receivers.
- `faults`, in a process of its own: a service whose inputs name the fault that their submission meets. For load, and
  as a base for services that must run in their own event loop.
"""
