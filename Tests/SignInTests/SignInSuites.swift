// SignInSuites.swift: the suites of the module SignIn stand beside this file.

import Testing

@testable import SignIn
