// RecordIndexTests.swift: begun.
