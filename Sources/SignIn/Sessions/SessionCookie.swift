// SessionCookie.swift: the gate's own cookies within a Cookie field, RFC 6265 §4.2 and §5.4.

/// Where the value of `__Host-herse` lies in a Cookie field; nil when there is none, or two.
package func sessionCookie(in cookieField: Span<UInt8>) -> Range<Int>? {
    cookie(CookieName.session, in: cookieField)
}

/// A Cookie field as the servers behind the gate may see it; nil when it can stay as it is.
///
/// A server that could read the session's cookie could speak for the professional.
package func withoutOwnCookies(_ cookieField: Span<UInt8>) -> [UInt8]? {
    var kept: [UInt8] = []
    var hasOwn = false
    var place = 0
    while let pair = nextPair(in: cookieField, from: place) {
        place = pair.next
        if matches(CookieName.session, cookieField, pair.name)
            || matches(CookieName.signIn, cookieField, pair.name)
        {
            hasOwn = true
            continue
        }
        guard !pair.whole.isEmpty else { continue }
        if !kept.isEmpty { kept += [UInt8(ascii: ";"), UInt8(ascii: " ")] }
        for index in pair.whole { kept.append(cookieField[index]) }
    }
    return hasOwn ? kept : nil
}

/// Names of the gate's cookies: `__Host-` binds them to this host, to TLS and to the whole of it.
enum CookieName {
    static let session: StaticString = "__Host-herse"
    /// A sign-in under way.
    static let signIn: StaticString = "__Host-herse-sign-in"
}

/// Where a cookie's value lies; nil when there is none, or two: readers differ on which counts.
func cookie(_ name: StaticString, in field: Span<UInt8>) -> Range<Int>? {
    var found: Range<Int>?
    var place = 0
    while let pair = nextPair(in: field, from: place) {
        place = pair.next
        guard matches(name, field, pair.name) else { continue }
        guard found == nil else { return nil }
        found = pair.value
    }
    return found
}

/// `name=value` between semicolons, blanks around it taken off.
private struct CookiePair {
    var whole: Range<Int>
    /// Empty when there is no `=`.
    var name: Range<Int>
    var value: Range<Int>
    var next: Int
}

private func nextPair(in field: Span<UInt8>, from start: Int) -> CookiePair? {
    guard start < field.count else { return nil }
    var end = start
    var equals: Int?
    while end < field.count, field[end] != UInt8(ascii: ";") {
        if equals == nil, field[end] == UInt8(ascii: "=") { equals = end }
        end += 1
    }
    let whole = trimmed(start..<end, field)
    guard let equals else {
        return CookiePair(whole: whole, name: end..<end, value: end..<end, next: end + 1)
    }
    return CookiePair(
        whole: whole, name: trimmed(start..<equals, field),
        value: trimmed(equals + 1..<end, field), next: end + 1)
}

private func trimmed(_ range: Range<Int>, _ field: Span<UInt8>) -> Range<Int> {
    func isBlank(_ index: Int) -> Bool {
        field[index] == UInt8(ascii: " ") || field[index] == UInt8(ascii: "\t")
    }
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(start) { start += 1 }
    while end > start, isBlank(end - 1) { end -= 1 }
    return start..<end
}

private func matches(_ name: StaticString, _ field: Span<UInt8>, _ range: Range<Int>) -> Bool {
    // Safe because no index passes the count that was compared.
    name.withUTF8Buffer { name in
        guard name.count == range.count else { return false }
        for index in 0..<name.count where unsafe name[index] != field[range.lowerBound + index] {
            return false
        }
        return true
    }
}
