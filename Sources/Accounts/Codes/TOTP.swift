// TOTP.swift: one-time codes of authenticator apps, RFC 6238 over RFC 4226.

internal import COpenSSL

/// The hash that codes are made with; apps in the field know the first for certain.
package enum CodeHash: String, Sendable {
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"
}

/// Seconds of one step, RFC 6238 §4.1.
package let codeStepSeconds: Int64 = 30

/// Digits of a code.
package let codeDigits = 6

/// The step that a moment belongs to.
package func codeStep(at now: Int64) -> Int64 {
    now >= 0 ? now / codeStepSeconds : 0
}

/// The code of a step as digits, RFC 4226 §5.3.
package func totp(
    secret: [UInt8], step: Int64, digits: Int = codeDigits, hash: CodeHash = .sha1
) -> [UInt8] {
    precondition((6...8).contains(digits), "RFC 4226 §5.3: six to eight digits")
    let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> Int64(56 - 8 * $0)) }
    let mac = hmac(hash, key: secret, counter)
    let offset = Int(mac[mac.count - 1] & 15)
    var number = 0
    for index in 0..<4 { number = number << 8 | Int(mac[offset + index]) }
    number &= 0x7FFF_FFFF
    var code = [UInt8](repeating: 0x30, count: digits)
    for index in (0..<digits).reversed() {
        code[index] = 0x30 + UInt8(number % 10)
        number /= 10
    }
    return code
}

/// The step whose code this is: the present one, the one before or the one after (RFC 6238 §5.2).
///
/// All three are always made and compared in full: time tells neither which nor how nearly.
package func matchingStep(of code: Span<UInt8>, secret: [UInt8], now: Int64) -> Int64? {
    let present = codeStep(at: now)
    var match: Int64?
    for step in [present - 1, present, present + 1] {
        let due = totp(secret: secret, step: max(0, step))
        let isDue = isSame(due.span, code)
        match = isDue ? max(0, step) : match
    }
    return match
}

/// The address that hands a secret to an authenticator app.
package func codeAddress(secret: [UInt8], account: String, issuer: String) -> String {
    let (issuer, account) = (percentEncoded(issuer), percentEncoded(account))
    return "otpauth://totp/\(issuer):\(account)?secret=\(base32(secret))&issuer=\(issuer)"
        + "&algorithm=\(CodeHash.sha1.rawValue)&digits=\(codeDigits)&period=\(codeStepSeconds)"
}

/// Everything but the unreserved characters of RFC 3986 §2.3 as %XX.
private func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = Array("0123456789ABCDEF")
            result += "%" + String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
    return result
}

func hmac(_ hash: CodeHash, key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var mac = [UInt8](repeating: 0, count: 64)
    var length: UInt32 = 0
    let done = unsafe key.withUnsafeBufferPointer { key in
        unsafe message.withUnsafeBufferPointer { message in
            unsafe mac.withUnsafeMutableBufferPointer { room in
                let kind: OpaquePointer?
                switch hash {
                case .sha1: unsafe kind = EVP_sha1()
                case .sha256: unsafe kind = EVP_sha256()
                case .sha512: unsafe kind = EVP_sha512()
                }
                // Safe because no hash has more than the 64 bytes of the room.
                return unsafe HMAC(
                    kind, key.baseAddress, Int32(key.count), message.baseAddress, message.count,
                    room.baseAddress, &length) != nil
            }
        }
    }
    precondition(done && length >= 20, "HMAC is always there")
    return Array(mac.prefix(Int(length)))
}
