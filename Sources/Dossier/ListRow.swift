// ListRow.swift: a row of the dossier's lists.

internal import CSV

/// One row of a list; it is one line, whatever came over the network.
func csvRow(_ cells: [String]) -> String { csvRow(cells, controls: .replaced) }
