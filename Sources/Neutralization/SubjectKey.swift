// SubjectKey.swift: a subject in 128 bits, made once per connection and compared ever after.

/// A subject's place in the index.
///
/// Two spellings of one subject have one key, so a neutralized subject is never missed. Two
/// subjects of one kind share a key by chance once in 2¹²⁸, and could then only be cut together.
/// The hash is no secret: who can choose an identifier can choose another's outright.
package struct SubjectKey: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The key of an account, or why the text is none.
    ///
    /// An account is 1…64 bytes of letters, digits, `.`, `_`, `-` and `/`. The two identifiers a person keeps while moving from ADELI to RPPS
    /// are two keys: resolve aliases before this point.
    package init(account text: Span<UInt8>) throws(SubjectError) {
        guard text.count > 0 else { throw .empty }
        guard text.count <= AccountID.lengthMax else { throw .accountLength(text.count) }
        var hash = FNV128()
        for index in 0..<text.count {
            let byte = upperCased(text[index])
            switch byte {
            case 0x2D...0x39, 0x41...0x5A, 0x5F: hash.add(byte)
            default: throw .accountByte(text[index], at: index)
            }
        }
        self.init(high: hash.high, low: hash.low)
    }

    package init(account: AccountID) {
        var hash = FNV128()
        for byte in account.id.utf8 { hash.add(byte) }
        self.init(high: hash.high, low: hash.low)
    }

    /// The key of a certificate: the first half of its SHA-256; `nil` unless it has 32 bytes.
    package init?(sha256: Span<UInt8>) {
        guard sha256.count == 32 else { return nil }
        var halves = (high: UInt64(0), low: UInt64(0))
        for index in 0..<8 { halves.high = halves.high << 8 | UInt64(sha256[index]) }
        for index in 8..<16 { halves.low = halves.low << 8 | UInt64(sha256[index]) }
        self.init(high: halves.high, low: halves.low)
    }
}

/// FNV-1a over 128 bits (draft-eastlake-fnv): short identifiers, no secret, 128 bits against chance.
struct FNV128 {
    private(set) var high: UInt64 = 0x6C62_272E_07BB_0142
    private(set) var low: UInt64 = 0x62B8_2175_6295_C58D

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        low ^= UInt64(byte)
        // Times the prime 2⁸⁸ + 0x13B, kept to 128 bits.
        let product = low.multipliedFullWidth(by: 0x13B)
        high = high &* 0x13B &+ product.high &+ low << 24
        low = product.low
    }
}

/// What the index looks up: a key, its kind, and for a network its prefix length.
struct IndexKey: Hashable {
    let high: UInt64
    let low: UInt64
    let tag: UInt16

    static let accountTag: UInt16 = 0x0100
    static let certificateTag: UInt16 = 0x0200
    static let structureTag: UInt16 = 0x0300
    static let serialTag: UInt16 = 0x0500
    static let network4Tag: UInt16 = 0x0400
    static let network6Tag: UInt16 = 0x0600
    static let sessionTag: UInt16 = 0x0700
    static let tokenTag: UInt16 = 0x0800
    static let clientTag: UInt16 = 0x0900
    static let hashedAccountTag: UInt16 = 0x0A00
    static let issuedBeforeTag: UInt16 = 0x0B00
    /// Set where a line reinstates its subject instead of denying it.
    static let reinstatingBit: UInt16 = 0x8000

    @inline(__always)
    init(high: UInt64, low: UInt64, tag: UInt16) {
        self.high = high
        self.low = low
        self.tag = tag
    }

    @inline(__always)
    init(account key: SubjectKey) {
        self.init(high: key.high, low: key.low, tag: Self.accountTag)
    }

    @inline(__always)
    init(certificate key: SubjectKey) {
        self.init(high: key.high, low: key.low, tag: Self.certificateTag)
    }

    @inline(__always)
    init(structure key: SubjectKey) {
        self.init(high: key.high, low: key.low, tag: Self.structureTag)
    }

    @inline(__always)
    init(serial key: SubjectKey) {
        self.init(high: key.high, low: key.low, tag: Self.serialTag)
    }

    /// `kind` is session, token or client.
    init(name key: SubjectKey, of kind: SubjectKind) {
        let tag =
            switch kind {
            case .session: Self.sessionTag
            case .token: Self.tokenTag
            default: Self.clientTag
            }
        self.init(high: key.high, low: key.low, tag: tag)
    }

    /// The account whose hash begins with these 16 bytes.
    init(hashedAccount key: SubjectKey) {
        self.init(high: key.high, low: key.low, tag: Self.hashedAccountTag)
    }

    init(issuedBefore moment: UInt32) {
        self.init(high: 0, low: UInt64(moment), tag: Self.issuedBeforeTag)
    }

    /// The key of lines that reinstate the same subject.
    var reinstating: IndexKey {
        IndexKey(high: high, low: low, tag: tag | Self.reinstatingBit)
    }

    /// The key of lines that deny the same subject.
    var denying: IndexKey { IndexKey(high: high, low: low, tag: tag & ~Self.reinstatingBit) }

    /// `network` is already masked to `length`.
    @inline(__always)
    init(network: NetworkAddress, length: Int) {
        let tag = network.family == .v4 ? Self.network4Tag : Self.network6Tag
        self.init(high: network.high, low: network.low, tag: tag | UInt16(clamping: length))
    }

    init(_ subject: Subject) {
        switch subject {
        case .account(let account):
            self.init(account: SubjectKey(account: account))
        case .structure(let structure):
            self.init(structure: SubjectKey(structure: structure))
        case .serial(let serial):
            self.init(serial: SubjectKey(serial: serial))
        case .certificate(let fingerprint):
            let key = SubjectKey(sha256: fingerprint.bytes.span)
            self.init(certificate: key ?? SubjectKey(high: 0, low: 0))
        case .network(let network):
            self.init(network: network.address, length: network.length)
        case .session(let name): self.init(name: SubjectKey(name: name), of: .session)
        case .token(let name): self.init(name: SubjectKey(name: name), of: .token)
        case .client(let name): self.init(name: SubjectKey(name: name), of: .client)
        case .hashedAccount(let hash):
            let key = SubjectKey(sha256: hash.bytes.span)
            self.init(hashedAccount: key ?? SubjectKey(high: 0, low: 0))
        case .issuedBefore(let moment): self.init(issuedBefore: UInt32(listTime: moment))
        }
    }

    /// The network an entry with this key stands for; `nil` for the other kinds.
    var network: Network? {
        let length = Int(tag & 0xFF)
        switch tag & 0xFF00 {
        case Self.network4Tag:
            let address = NetworkAddress(v4: UInt32(truncatingIfNeeded: low))
            return Network(network: address, length: length)
        case Self.network6Tag:
            return Network(network: NetworkAddress(v6: high, low), length: length)
        default:
            return nil
        }
    }

    /// One bit for each kind of subject, so that a kind nobody names costs no look-up.
    @inline(__always)
    var kindBit: UInt16 { 1 &<< (tag >> 8 & 0x7F) }

    /// Spreads near values (consecutive networks, say) over all 64 bits.
    @inline(__always)
    var spread: UInt64 {
        var mixed = high ^ (low &* 0x9E37_79B9_7F4A_7C15) ^ (UInt64(tag) &* 0xD6E8_FEB8_6659_FD93)
        mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ mixed >> 29) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 32
    }

    func hash(into hasher: inout Hasher) { hasher.combine(spread) }
}
