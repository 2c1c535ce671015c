// OutboundSuites.swift: the suites of the module Outbound stand beside this file.

import Testing

@testable import Outbound
