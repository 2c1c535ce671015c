// TokensSuites.swift: the suites of the module Tokens stand beside this file.

import Testing

@testable import Tokens
