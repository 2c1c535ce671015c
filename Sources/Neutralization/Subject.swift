// Subject.swift: who or what can be neutralized, and how it is written.
//
// A kind that is still to come is one case here, one in `SubjectKind`, one branch of `init`; the
// list, the journal and the state then carry it without change.

/// What a neutralization names.
package enum Subject: Hashable, Sendable {
    case account(AccountID)
    /// An account as a list shows it that names nobody.
    case hashedAccount(HashedAccount)
    case structure(StructureCode)
    case certificate(CertificateFingerprint)
    case serial(CertificateSerial)
    case network(Network)
    /// A session, by the issuer's `sid` or the gate's own name for it.
    case session(OpaqueName)
    /// A token, by its `jti`.
    case token(OpaqueName)
    /// Software, by its `client_id`.
    case client(OpaqueName)
    /// Whatever was proven before a moment, by anybody: it has to be proven again.
    case issuedBefore(UnixSeconds)
}

/// The kinds of subject of the interface, in the words of its list file.
package enum SubjectKind: String, CaseIterable, Sendable {
    case account, structure, certificate, serial, network
    case session, token, client
    case issuedBefore = "issued-before"
}

/// A professional's national identifier (idNat_PS), upper-cased: two spellings are one account.
package struct AccountID: Hashable, Sendable {
    package let id: String

    /// Bytes an account may take; the longest idNat_PS of the national grammar takes 49.
    package static let lengthMax = 64

    package init(_ text: Span<UInt8>) throws(SubjectError) {
        _ = try SubjectKey(account: text)
        var upper = ""
        for index in 0..<text.count {
            upper.unicodeScalars.append(Unicode.Scalar(upperCased(text[index])))
        }
        self.id = upper
    }

    package init(_ text: String) throws(SubjectError) {
        try self.init(Array(text.utf8).span)
    }

    /// What was checked and upper-cased when the list was read.
    init(read id: String) { self.id = id }
}

/// SHA-256 of a certificate's DER encoding.
package struct CertificateFingerprint: Hashable, Sendable {
    package let bytes: [UInt8]

    static let prefix: StaticString = "SHA256:"

    /// Exactly 32 bytes, or `nil`.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = (0..<32).map { bytes[$0] }
    }

    /// Reads 64 hexadecimal digits in either case, colons between pairs tolerated.
    package init(hexadecimal text: Span<UInt8>) throws(SubjectError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        try readFingerprint(text) { bytes.append($0) }
        self.bytes = bytes
    }
}

/// Gives the 32 bytes of a fingerprint to `body`, in order; throws before or after, as it finds.
func readFingerprint(
    _ text: Span<UInt8>, _ body: (UInt8) -> Void
) throws(SubjectError) {
    var digits = 0
    var pair: UInt8 = 0
    for index in 0..<text.count {
        let byte = text[index]
        let mayBeColon = digits > 0 && digits % 2 == 0 && index + 1 < text.count
        if byte == 0x3A, mayBeColon, text[index - 1] != 0x3A { continue }
        guard let digit = hexDigit(byte) else { throw .fingerprintByte(byte, at: index) }
        digits += 1
        guard digits <= 64 else { continue }
        pair = pair << 4 | digit
        if digits % 2 == 0 { body(pair) }
    }
    guard digits == 64 else { throw .fingerprintLength(digits: digits) }
}

func upperCased(_ byte: UInt8) -> UInt8 {
    byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte
}

extension Subject {
    package var kind: SubjectKind {
        switch self {
        case .account, .hashedAccount: .account
        case .structure: .structure
        case .certificate: .certificate
        case .serial: .serial
        case .network: .network
        case .session: .session
        case .token: .token
        case .client: .client
        case .issuedBefore: .issuedBefore
        }
    }

    /// Reads what a person writes on a command line: `KIND:VALUE`, or a bare account.
    package init(_ text: String) throws(SubjectError) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw .empty }
        guard let colon = bytes.firstIndex(of: 0x3A) else {
            self = .account(try AccountID(bytes.span))
            return
        }
        let written = String(decoding: bytes[..<colon], as: UTF8.self)
        guard let kind = SubjectKind(rawValue: written) else {
            throw .unknownKind(printable(bytes.span.extracting(0..<colon)))
        }
        let value = bytes.span.extracting(colon + 1..<bytes.count)
        try self.init(kind: kind, value: value)
    }

    /// Reads the value of one kind, as it stands in the list file.
    package init(kind: SubjectKind, value: Span<UInt8>) throws(SubjectError) {
        guard value.count > 0 else { throw .empty }
        switch kind {
        case .account:
            guard let digits = digits(of: value, after: HashedAccount.prefix) else {
                self = .account(try AccountID(value))
                return
            }
            do {
                let text = value.extracting(digits)
                self = .hashedAccount(try HashedAccount(hexadecimal: text))
            } catch { throw error.moved(by: digits.lowerBound) }
        case .structure:
            self = .structure(try StructureCode(value))
        case .certificate:
            guard let digits = digits(of: value, after: CertificateFingerprint.prefix) else {
                throw .notSHA256
            }
            do {
                self = .certificate(
                    try CertificateFingerprint(hexadecimal: value.extracting(digits)))
            } catch { throw error.moved(by: digits.lowerBound) }
        case .serial:
            self = .serial(try CertificateSerial(value))
        case .network:
            self = .network(try Network(value))
        case .session: self = .session(try OpaqueName(value))
        case .token: self = .token(try OpaqueName(value))
        case .client: self = .client(try OpaqueName(value))
        case .issuedBefore:
            guard let moment = UnixSeconds(rfc3339: value) else { throw .notAMoment }
            self = .issuedBefore(moment)
        }
    }
}

/// The bytes after the name of an algorithm and its colon, or `nil` when another or none is named;
/// `prefix` is written in capitals.
func digits(of value: Span<UInt8>, after prefix: StaticString) -> Range<Int>? {
    let length = prefix.utf8CodeUnitCount
    guard value.count >= length else { return nil }
    for index in 0..<length {
        // Safe because index lies within the static string's count.
        guard upperCased(value[index]) == (unsafe prefix.utf8Start[index]) else { return nil }
    }
    return length..<value.count
}

/// At most 32 bytes of `text`, each printable, for an error message.
func printable(_ text: Span<UInt8>) -> String {
    var result = ""
    for index in 0..<min(text.count, 32) {
        let byte = text[index]
        let isPlain = byte > 0x20 && byte < 0x7F && byte != 0x60
        result.unicodeScalars.append(isPlain ? Unicode.Scalar(byte) : "?")
    }
    return text.count > 32 ? result + "…" : result
}

extension SubjectError {
    /// The same error, its offset counted from a place `bytes` earlier.
    func moved(by bytes: Int) -> SubjectError {
        switch self {
        case .accountByte(let byte, let at): .accountByte(byte, at: at + bytes)
        case .fingerprintByte(let byte, let at): .fingerprintByte(byte, at: at + bytes)
        case .prefixLength(let max, let at): .prefixLength(max: max, at: at + bytes)
        default: self
        }
    }
}

extension Subject: CustomStringConvertible {
    /// The text that reads back as this subject.
    package var description: String {
        switch self {
        case .account(let account): "account:" + account.id
        case .hashedAccount(let hash): "account:hmac-sha256:" + hash.description
        case .structure(let structure): "structure:" + structure.id
        case .certificate(let fingerprint): "certificate:sha256:" + fingerprint.description
        case .serial(let serial): "serial:" + serial.description
        case .network(let network): "network:" + network.description
        case .session(let name): "session:" + name.id
        case .token(let name): "token:" + name.id
        case .client(let name): "client:" + name.id
        case .issuedBefore(let moment): "issued-before:" + moment.description
        }
    }
}

extension CertificateFingerprint: CustomStringConvertible {
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
