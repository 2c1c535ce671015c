// CertificateSerial.swift: a certificate by its number and its issuer, `HEX@ISSUER-CN`.
//
// What a declaration of loss or a revocation list tells an operator who has no fingerprint. The
// text is one word, so that it stands in a list, a journal and a shell alike: in the issuer's
// name letters, digits and `-._~/:,+@` stand for themselves, and any byte may be written %XX, which
// a blank and a `%` must be in a file. On a command line a blank may also stand as it is.

/// A certificate's serial number and the common name of who issued it, in their one spelling.
///
/// Leading zeros of the number mean nothing. The name is compared as RFC 5280 §7.1 has it, as far
/// as ASCII goes: letters in either case are the same, blanks around it are dropped, several
/// within are one. What is not ASCII is compared byte for byte.
package struct CertificateSerial: Hashable, Sendable {
    /// Big-endian, without leading zeros; never empty, so that zero is one byte.
    package let number: [UInt8]
    /// Upper-cased, its blanks single; bytes and not a `String`, for which two Unicode spellings of
    /// one letter are equal: their keys are not, so the subjects must not be either.
    let issuerBytes: [UInt8]

    /// Bytes a number may take; RFC 5280 §4.1.2.2 allows 20, older authorities did not know.
    package static let numberMax = 64
    /// Bytes an issuer's name may take; X.520 allows 64 characters.
    package static let issuerMax = 255

    package var issuer: String { String(decoding: issuerBytes, as: UTF8.self) }

    /// What a certificate says: its number, big-endian, and its issuer's common name.
    package init(_ number: Span<UInt8>, issuer: String) throws(SubjectError) {
        var digits: [UInt8] = []
        var first = 0
        while first < number.count, number[first] == 0 { first += 1 }
        guard number.count - first <= Self.numberMax else {
            throw .serialLength(digits: (number.count - first) * 2)
        }
        for index in first..<number.count { digits.append(number[index]) }
        self.number = digits.isEmpty ? [0] : digits
        self.issuerBytes = try plainIssuer(Array(issuer.utf8), at: 0)
    }

    /// Reads `HEX@ISSUER`: hexadecimal digits in either case, colons between pairs tolerated.
    package init(_ text: Span<UInt8>) throws(SubjectError) {
        var sign = 0
        while sign < text.count, text[sign] != 0x40 { sign += 1 }
        guard sign < text.count else { throw .serialWithoutIssuer }
        number = try readNumber(text.extracting(0..<sign))
        issuerBytes = try plainIssuer(try decoded(text, sign + 1..<text.count), at: sign + 1)
    }

    /// What was checked when the list was read.
    init(read number: [UInt8], issuer: [UInt8]) {
        self.number = number
        self.issuerBytes = issuer
    }
}

extension CertificateSerial: CustomStringConvertible {
    /// One word of printable ASCII that reads back as this certificate.
    package var description: String {
        var text = ""
        for byte in number { text += twoDigits(byte) }
        text += "@"
        for byte in issuerBytes {
            if standsForItself(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + twoDigits(byte)
            }
        }
        return text
    }
}

extension SubjectKey {
    /// The key of a certificate by number and issuer, as the certificate has them; throws when
    /// either is of a form that no text can name.
    package init(serial: Span<UInt8>, issuer: String) throws(SubjectError) {
        self.init(serial: try CertificateSerial(serial, issuer: issuer))
    }

    package init(serial: CertificateSerial) {
        var hash = FNV128()
        // Which bytes are the number's is part of what is hashed.
        hash.add(UInt8(clamping: serial.number.count))
        for byte in serial.number { hash.add(byte) }
        for byte in serial.issuerBytes { hash.add(byte) }
        self.init(high: hash.high, low: hash.low)
    }
}

private func readNumber(_ text: Span<UInt8>) throws(SubjectError) -> [UInt8] {
    var digits: [UInt8] = []
    var hasColon = false
    for index in 0..<text.count {
        let byte = text[index]
        let mayBeColon = index > 0 && index + 1 < text.count && digits.count % 2 == 0
        if byte == 0x3A, mayBeColon, text[index - 1] != 0x3A {
            hasColon = true
            continue
        }
        guard let digit = hexDigit(byte) else { throw .serialByte(byte, at: index) }
        digits.append(digit)
        // Some zeros before it do no harm; a text without end does.
        guard digits.count <= 4 * CertificateSerial.numberMax else {
            throw .serialLength(digits: text.count)
        }
    }
    guard !digits.isEmpty, !(hasColon && digits.count % 2 == 1) else {
        throw .serialLength(digits: digits.count)
    }
    if digits.count % 2 == 1 { digits.insert(0, at: 0) }
    var number: [UInt8] = []
    for pair in 0..<digits.count / 2 {
        let byte = digits[2 * pair] << 4 | digits[2 * pair + 1]
        if byte != 0 || !number.isEmpty { number.append(byte) }
    }
    guard number.count <= CertificateSerial.numberMax else {
        throw .serialLength(digits: digits.count)
    }
    return number.isEmpty ? [0] : number
}

/// The bytes of an issuer's name, %XX read.
private func decoded(_ text: Span<UInt8>, _ range: Range<Int>) throws(SubjectError) -> [UInt8] {
    // The longest name with every byte escaped.
    guard range.count <= 3 * CertificateSerial.issuerMax else { throw .issuerLength(range.count) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
        if text[index] == 0x25 {
            guard index + 2 < range.upperBound, let high = hexDigit(text[index + 1]),
                let low = hexDigit(text[index + 2])
            else { throw .issuerEscape(at: index) }
            bytes.append(high << 4 | low)
            index += 3
        } else {
            bytes.append(text[index])
            index += 1
        }
    }
    return bytes
}

/// An issuer's name in its one spelling; `at` is where it begins, for the error.
private func plainIssuer(_ name: [UInt8], at start: Int) throws(SubjectError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(name.count)
    for byte in name {
        guard byte >= 0x20, byte != 0x7F else { throw .issuerByte(byte, at: start) }
        if byte == 0x20, bytes.isEmpty || bytes.last == 0x20 { continue }
        bytes.append(upperCased(byte))
    }
    if bytes.last == 0x20 { bytes.removeLast() }
    guard !bytes.isEmpty else { throw .serialWithoutIssuer }
    guard bytes.count <= CertificateSerial.issuerMax else { throw .issuerLength(bytes.count) }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
    return bytes
}

private func standsForItself(_ byte: UInt8) -> Bool {
    switch byte {
    // - . / 0…9 : and @ A…Z, a…z, + , _ ~
    case 0x2D...0x3A, 0x40...0x5A, 0x61...0x7A, 0x2B, 0x2C, 0x5F, 0x7E: true
    default: false
    }
}

private func twoDigits(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
