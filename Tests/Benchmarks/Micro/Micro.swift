// Micro.swift: timings of single parts, for script/bench: what no whole request shows.
//
//     Micro NAME [ARGUMENTS…]     prints one line of JSON

import Glibc

/// Parts that can be timed, by name.
let parts: [String: @Sendable ([String]) -> Void] = [
    "bundles": writeBundles,
    "inspection": timeInspection,
    "limits": timeLimits,
    "record-index": timeRecordIndex,
    "record-search": timeRecordSearch,
    "record-write": writeRecord,
    "tokens": timeTokens,
]

@main
enum Micro {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let name = arguments.first, let part = parts[name] else {
            print("Micro: one of \(parts.keys.sorted().joined(separator: ", ")) is expected")
            exit(64)
        }
        part(Array(arguments.dropFirst()))
    }
}
