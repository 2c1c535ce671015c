// PageStore.swift: the results of searches whose next pages may still be asked for.

import Foundation
import Synchronization

/// Snapshots of results, the oldest forgotten when there are too many.
final class PageStore: Sendable {
    private struct State {
        var results: [String: [Int]] = [:]
        var order: [String] = []
    }

    private let state = Mutex(State())

    /// Snapshots kept; a page of an older one answers 410.
    static let snapshotsMax = 256

    /// Keeps `result`, places of patients in order; returns the name to ask for it again.
    func keep(_ result: [Int]) -> String {
        let name = UUID().uuidString.lowercased()
        state.withLock { state in
            if state.order.count >= Self.snapshotsMax {
                state.results[state.order.removeFirst()] = nil
            }
            state.results[name] = result
            state.order.append(name)
        }
        return name
    }

    func result(_ name: String) -> [Int]? { state.withLock { $0.results[name] } }
}
