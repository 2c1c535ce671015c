// AccountsSuites.swift: the suites of the module Accounts stand beside this file.

import Testing

@testable import Accounts
