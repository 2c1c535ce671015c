// Signals.swift: security events, their subjects, answers to polls, and the journals of streams.

import Signals

extension FuzzTarget {
    static let signals = FuzzTarget(name: "signals") { bytes in fuzzSignals(bytes) }
}
