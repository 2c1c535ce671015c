// PageLink.swift: page links, known again by a keyed hash of what is opaque in them.
//
// A page link is a bearer capability: whoever has it reads on. The hash is of the opaque values
// alone, so that another offset, count or format in the same link is the same link.

/// The keyed hash of the opaque part of a page link; nil when there is none.
///
/// `query` is what follows `?` in the URL.
package func pageToken(ofQuery query: Span<UInt8>, _ hasher: PersonHasher) -> UInt64? {
    var facts = SearchFacts()
    do {
        try facts.read(query)
    } catch {
        return nil
    }
    return facts.page.token(hasher)
}

/// The opaque parameters of one request.
struct PageParameters: Sendable {
    private var given: [(parameter: PageParameter, value: [UInt8])] = []

    var isEmpty: Bool { given.isEmpty }

    /// Whether one of them is heeded at any path.
    var countsAnywhere: Bool { given.contains { $0.parameter.countsAnywhere } }

    /// Takes a parameter; the same one with two values is read differently by different servers.
    mutating func add(
        _ parameter: PageParameter, _ value: Span<UInt8>
    ) throws(QuestionError) {
        let place = withoutBlanks(value, 0..<value.count)
        guard !place.isEmpty else { return }
        if parameter == .page, isNumber(value.extracting(place)) { return }
        let text = place.map { value[$0] }
        if let known = given.first(where: { $0.parameter == parameter }) {
            guard known.value == text else { throw .formNotUnderstood }
            return
        }
        given.append((parameter, text))
    }

    /// The hash of all of them together, in one order; nil when there are none.
    func token(_ hasher: PersonHasher) -> UInt64? {
        guard !given.isEmpty else { return nil }
        var text: [UInt8] = []
        for (place, one) in given.sorted(by: {
            $0.parameter.rawValue < $1.parameter.rawValue
        }).enumerated() {
            if place > 0 { text.append(0) }
            text.append(contentsOf: one.value)
        }
        return hasher.token(1, text.span)
    }

    private func isNumber(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] &- UInt8(ascii: "0") >= 10 { return false }
        return true
    }
}
