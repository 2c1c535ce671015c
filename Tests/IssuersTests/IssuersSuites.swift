// IssuersSuites.swift: the suites of the module Issuers stand beside this file.

import Testing

@testable import Issuers
