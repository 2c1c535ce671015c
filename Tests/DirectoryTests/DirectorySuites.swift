// DirectorySuites.swift: the suites of the module Directory stand beside this file.

import Testing

@testable import Directory
