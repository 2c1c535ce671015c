// DrillResult.swift: what a drill found, and whether that is within its bounds.

import Gate
import Neutralization

/// What must hold.
struct DrillBounds: Encodable, Equatable {
    /// At the client, from sending the order to the connection's end, the disk included.
    var clientMilliseconds: Double
    /// In the gate, the disk left out.
    var insideMilliseconds: Double
}

/// One protocol's line, or that of all together.
struct DrillLine: Encodable {
    let name: String
    let count: Int
    let p50Milliseconds: Double
    let p99Milliseconds: Double
    let maxMilliseconds: Double
    let insideP99Milliseconds: Double
    /// Connections that did not end, or whose professional was served again.
    let leaks: Int
    let isWithin: Bool

    fileprivate init(_ name: String, _ samples: [DrillSample], _ bounds: DrillBounds) {
        let times = samples.compactMap(\.milliseconds).sorted()
        let inside = samples.map(\.insideMilliseconds).sorted()
        self.name = name
        count = samples.count
        p50Milliseconds = quantile(0.5, of: times)
        p99Milliseconds = quantile(0.99, of: times)
        maxMilliseconds = times.last ?? 0
        insideP99Milliseconds = quantile(0.99, of: inside)
        leaks = samples.filter(\.isLeak).count
        isWithin =
            leaks == 0 && p99Milliseconds <= bounds.clientMilliseconds
            && insideP99Milliseconds <= bounds.insideMilliseconds
    }
}

/// All of a drill.
struct DrillResult: Encodable {
    let at: String
    let protocols: [DrillLine]
    let all: DrillLine
    let bounds: DrillBounds
    /// Whether every protocol held.
    let isWithin: Bool
    /// Whether a running gate was told.
    var isTold = false

    init(_ samples: [DrillSample], _ bounds: DrillBounds, at moment: Int64) {
        at = UnixSeconds(moment).description
        protocols = DrillProtocol.allCases.map { way in
            DrillLine(way.rawValue, samples.filter { $0.way == way }, bounds)
        }
        all = DrillLine("all", samples, bounds)
        self.bounds = bounds
        isWithin = protocols.allSatisfy(\.isWithin)
    }

    /// For the gate that serves this host.
    var report: DrillReport {
        DrillReport(
            at: at, sessions: all.count, p50Milliseconds: all.p50Milliseconds,
            p99Milliseconds: all.p99Milliseconds, maxMilliseconds: all.maxMilliseconds,
            insideP99Milliseconds: all.insideP99Milliseconds,
            boundMilliseconds: bounds.clientMilliseconds,
            insideBoundMilliseconds: bounds.insideMilliseconds, isWithin: isWithin,
            leaks: all.leaks)
    }
}

/// The smallest of `sorted` that so large a share of it does not exceed; 0 when there is none.
func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let rank = Int((fraction * Double(sorted.count)).rounded(.up))
    return sorted[min(sorted.count, max(1, rank)) - 1]
}

func text(of result: DrillResult) -> String {
    var table = Table(
        "CONNECTED BY", ">COUNT", ">P50", ">P99", ">MAX", ">P99 IN THE GATE", ">LEAKED", "VERDICT")
    for line in result.protocols + [result.all] {
        table.add(
            line.name, String(line.count), shownMilliseconds(line.p50Milliseconds),
            shownMilliseconds(line.p99Milliseconds), shownMilliseconds(line.maxMilliseconds),
            shownMilliseconds(line.insideP99Milliseconds), String(line.leaks),
            line.isWithin ? "within bound" : "NOT WITHIN BOUND")
    }
    let bounds = result.bounds
    let verdict =
        "\(result.isWithin ? "within" : "NOT WITHIN") "
        + "\(shownMilliseconds(bounds.clientMilliseconds)) at the client and "
        + "\(shownMilliseconds(bounds.insideMilliseconds)) in the gate (p99)"
    return table.text + "\n\n" + verdict
}
