// DossierTests.swift: begun.
