// NeutralizationJournal.swift: journals, whole, torn, and with lines nobody would write.

import Neutralization

extension FuzzTarget {
    static let neutralizationJournal = FuzzTarget(name: "neutralization-journal") { bytes in
        fuzzJournal(bytes)
    }
}
