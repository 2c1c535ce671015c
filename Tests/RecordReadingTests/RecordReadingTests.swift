// RecordReadingTests.swift: begun.
