// ECDSASignature.swift: two numbers, as JWS writes them and as OpenSSL does.

/// A signature r || s, RFC 7518 §3.4, as DER; nil unless both halves have their exact length and
/// are more than zero.
func derSignature(_ raw: [UInt8], coordinateBytes: Int) -> [UInt8]? {
    guard raw.count == 2 * coordinateBytes else { return nil }
    let r = derInteger(raw[..<coordinateBytes])
    let s = derInteger(raw[coordinateBytes...])
    guard let r, let s else { return nil }
    let content = r + s
    // At most 2 * (2 + 67) bytes: one or two bytes say how long it is.
    let length: [UInt8] =
        content.count < 0x80 ? [UInt8(content.count)] : [0x81, UInt8(content.count)]
    return [0x30] + length + content
}

private func derInteger(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var number = Array(bytes.drop { $0 == 0 })
    guard let first = number.first else { return nil }
    if first >= 0x80 { number.insert(0, at: 0) }
    return [0x02, UInt8(number.count)] + number
}

/// A signature in DER as r || s; nil when it is none of this size.
func rawSignature(_ der: [UInt8], coordinateBytes: Int) -> [UInt8]? {
    var rest = der[...]
    // Those of P-256 and P-384 are always shorter than 128 bytes.
    guard rest.popFirst() == 0x30, let length = rest.popFirst(), Int(length) == rest.count,
        let r = takeInteger(&rest, coordinateBytes), let s = takeInteger(&rest, coordinateBytes),
        rest.isEmpty
    else { return nil }
    return r + s
}

private func takeInteger(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> [UInt8]? {
    guard rest.popFirst() == 0x02, let length = rest.popFirst(), length > 0,
        Int(length) <= rest.count
    else { return nil }
    let number = rest.prefix(Int(length)).drop { $0 == 0 }
    rest = rest.dropFirst(Int(length))
    guard number.count <= count else { return nil }
    return [UInt8](repeating: 0, count: count - number.count) + number
}
