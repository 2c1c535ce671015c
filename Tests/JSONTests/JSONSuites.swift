// JSONSuites.swift: the suites of the module JSON stand beside this file.

import Testing

@testable import JSON
