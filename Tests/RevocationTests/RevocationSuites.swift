// RevocationSuites.swift: the suites of the module Revocation stand beside this file.
