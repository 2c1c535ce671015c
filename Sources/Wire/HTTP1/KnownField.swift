// KnownField.swift: the field names that mean something to the gate.

/// A field name the gate knows, whatever its case.
///
/// Identity fields are known even when written with `_` (or any other punctuation) for `-`: CGI
/// and its heirs read `herse_professional` and `Herse-Professional` as one variable, so a forged
/// copy must be removed under either name. Every other known name so disguised is a `lookalike`:
/// never interpreted here, and never forwarded to where it might be.
package enum KnownField: UInt8, Sendable, CaseIterable {
    case other
    case lookalike

    // Framing and routing: the gate writes its own.
    case host, contentLength, transferEncoding, expect

    // Hop by hop, RFC 9110 §7.6.1.
    case connection, keepAlive, te, trailer, upgrade, http2Settings
    /// `Proxy-` anything, and `Proxy` itself, which CGI turns into the variable HTTP_PROXY.
    case proxyAuthenticate, proxyAuthorization, proxyConnection, proxyOther

    // Who asks: only the gate may say it.
    case herse, forwarded, forwardedFor, forwardedProto, forwardedHost, forwardedOther
    case requestID, clientCertificate, clientCertificateChain

    /// What some servers take for the method, whatever the request line says.
    case methodOverride

    // End to end.
    case accept, acceptEncoding, altSvc, authorization, contentEncoding, contentType, cookie
    /// A proof of possession, RFC 9449 §4.1.
    case dpop
    case date, ifModifiedSince, ifNoneExist, ifNoneMatch, ifRange, prefer, range, retryAfter,
        server, setCookie, userAgent

    /// The field whose name these bytes, a token, are.
    ///
    /// `isOdd` says that they hold punctuation other than the hyphen.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, isOdd: Bool) {
        if isOdd {
            self = KnownField.disguised(bytes, range)
        } else {
            self = KnownField.named(bytes, range, isOdd: false)
        }
    }

    /// The field whose name these bytes are, which may be no token.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var isOdd = false
        for index in range where !ByteSet.plainName.contains(bytes[index]) { isOdd = true }
        self.init(bytes, range, isOdd: isOdd)
    }

    @inline(never)
    private static func disguised(_ bytes: Span<UInt8>, _ name: Range<Int>) -> KnownField {
        let known = named(bytes, name, isOdd: true)
        if known == .other || FieldSet.identity.contains(known) { return known }
        return .lookalike
    }

    @inline(__always)
    private static func named(
        _ bytes: Span<UInt8>, _ name: Range<Int>, isOdd: Bool
    ) -> KnownField {
        switch name.count {
        case 2:
            if same(bytes, name, "te", isOdd) { return .te }
        case 4:
            if same(bytes, name, "host", isOdd) { return .host }
            if same(bytes, name, "date", isOdd) { return .date }
            if same(bytes, name, "dpop", isOdd) { return .dpop }
        case 5:
            if same(bytes, name, "range", isOdd) { return .range }
            if same(bytes, name, "proxy", isOdd) { return .proxyOther }
        case 6:
            if same(bytes, name, "accept", isOdd) { return .accept }
            if same(bytes, name, "cookie", isOdd) { return .cookie }
            if same(bytes, name, "expect", isOdd) { return .expect }
            if same(bytes, name, "server", isOdd) { return .server }
            if same(bytes, name, "prefer", isOdd) { return .prefer }
        case 7:
            if same(bytes, name, "trailer", isOdd) { return .trailer }
            if same(bytes, name, "upgrade", isOdd) { return .upgrade }
            if same(bytes, name, "alt-svc", isOdd) { return .altSvc }
        case 8:
            if same(bytes, name, "if-range", isOdd) { return .ifRange }
        case 9:
            if same(bytes, name, "forwarded", isOdd) { return .forwarded }
        case 10:
            if same(bytes, name, "connection", isOdd) { return .connection }
            if same(bytes, name, "user-agent", isOdd) { return .userAgent }
            if same(bytes, name, "keep-alive", isOdd) { return .keepAlive }
            if same(bytes, name, "set-cookie", isOdd) { return .setCookie }
        case 11:
            if same(bytes, name, "retry-after", isOdd) { return .retryAfter }
            if same(bytes, name, "client-cert", isOdd) { return .clientCertificate }
        case 12:
            if same(bytes, name, "content-type", isOdd) { return .contentType }
            if same(bytes, name, "x-request-id", isOdd) { return .requestID }
        case 13:
            if same(bytes, name, "authorization", isOdd) { return .authorization }
            if same(bytes, name, "if-none-match", isOdd) { return .ifNoneMatch }
            if same(bytes, name, "if-none-exist", isOdd) { return .ifNoneExist }
            if same(bytes, name, "x-http-method", isOdd) { return .methodOverride }
        case 14:
            if same(bytes, name, "content-length", isOdd) { return .contentLength }
            if same(bytes, name, "http2-settings", isOdd) { return .http2Settings }
        case 15:
            if same(bytes, name, "accept-encoding", isOdd) { return .acceptEncoding }
            if same(bytes, name, "x-forwarded-for", isOdd) { return .forwardedFor }
        case 16:
            if same(bytes, name, "content-encoding", isOdd) { return .contentEncoding }
            if same(bytes, name, "x-forwarded-host", isOdd) { return .forwardedHost }
            if same(bytes, name, "proxy-connection", isOdd) { return .proxyConnection }
        case 17:
            if same(bytes, name, "transfer-encoding", isOdd) { return .transferEncoding }
            if same(bytes, name, "if-modified-since", isOdd) { return .ifModifiedSince }
            if same(bytes, name, "x-method-override", isOdd) { return .methodOverride }
            if same(bytes, name, "x-forwarded-proto", isOdd) { return .forwardedProto }
            if same(bytes, name, "client-cert-chain", isOdd) { return .clientCertificateChain }
        case 18:
            if same(bytes, name, "proxy-authenticate", isOdd) { return .proxyAuthenticate }
        case 19:
            if same(bytes, name, "proxy-authorization", isOdd) { return .proxyAuthorization }
        case 22:
            if same(bytes, name, "x-http-method-override", isOdd) { return .methodOverride }
        default: break
        }
        if begins(bytes, name, "x-forwarded-", isOdd) { return .forwardedOther }
        if begins(bytes, name, "herse-", isOdd) { return .herse }
        if begins(bytes, name, "proxy-", isOdd) { return .proxyOther }
        return .other
    }
}

/// Whether the name is `text`, of lower-case letters, digits and hyphens.
@inline(__always)
private func same(
    _ bytes: Span<UInt8>, _ name: Range<Int>, _ text: StaticString, _ isOdd: Bool
) -> Bool {
    name.count == text.utf8CodeUnitCount && begins(bytes, name, text, isOdd)
}

/// Whether the name begins with `text`, of lower-case letters, digits and hyphens.
@inline(__always)
private func begins(
    _ bytes: Span<UInt8>, _ name: Range<Int>, _ text: StaticString, _ isOdd: Bool
) -> Bool {
    let length = text.utf8CodeUnitCount
    guard name.count >= length else { return false }
    for offset in 0..<length {
        // Safe because offset is below the length of the text, which lives for ever.
        let wanted = unsafe text.utf8Start[offset]
        if folded(bytes[name.lowerBound &+ offset], isOdd) != wanted { return false }
    }
    return true
}

@inline(__always)
private func folded(_ byte: UInt8, _ isOdd: Bool) -> UInt8 {
    if isOdd && !ByteSet.alphanumeric.contains(byte) { return Ascii.hyphen }
    // Letters lose their case; digits and the hyphen have this bit already.
    return byte | 0x20
}
