// ByteSet.swift: a set of identifiers, asked per request without allocating.

/// A set of identifiers, compared in upper case as far as ASCII goes, or byte by byte.
package struct ByteSet: Equatable, Sendable {
    /// All elements one after the other, in order.
    private let bytes: [UInt8]
    /// Where each ends; strictly growing but for an empty element, which cannot be.
    private let ends: [Int]
    /// Whether letters of either case are the same.
    private let folds: Bool

    package init(_ elements: some Sequence<String>) { self.init(elements, folds: true) }

    /// A set of texts that are compared byte by byte.
    package init(exactly elements: some Sequence<String>) { self.init(elements, folds: false) }

    private init(_ elements: some Sequence<String>, folds: Bool) {
        self.folds = folds
        // As bytes: for a String, two Unicode spellings of one letter are equal.
        let sorted = Set(elements.map { $0.utf8.map { folds ? upper($0) : $0 } })
            .filter { !$0.isEmpty }
            .sorted { $0.lexicographicallyPrecedes($1) }
        bytes = sorted.flatMap(\.self)
        var end = 0
        ends = sorted.map { element in
            end += element.count
            return end
        }
    }

    package var count: Int { ends.count }
    package var isEmpty: Bool { ends.isEmpty }

    /// Whether `id` is an element, whatever the case of its letters; by bisection.
    package func contains(_ id: Span<UInt8>) -> Bool {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            switch order(of: id, against: middle) {
            case 0: return true
            case ..<0: high = middle
            default: low = middle + 1
            }
        }
        return false
    }

    private func order(of id: Span<UInt8>, against index: Int) -> Int {
        let start = index == 0 ? 0 : ends[index - 1]
        let count = ends[index] - start
        for offset in 0..<min(count, id.count) {
            let difference =
                Int(folds ? upper(id[offset]) : id[offset]) - Int(bytes[start + offset])
            if difference != 0 { return difference }
        }
        return id.count - count
    }
}

private func upper(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
}
