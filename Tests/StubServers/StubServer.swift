// StubServer.swift: an HTTP server of the tests' own, that answers whatever it is told to.
