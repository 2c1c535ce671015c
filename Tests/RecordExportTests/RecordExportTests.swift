// RecordExportTests.swift: begun.
