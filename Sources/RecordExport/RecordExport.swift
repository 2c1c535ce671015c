// RecordExport.swift: begun.
