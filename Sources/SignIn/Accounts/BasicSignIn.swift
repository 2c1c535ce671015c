// BasicSignIn.swift: a local account by HTTP Basic, RFC 7617: the password, and behind it the six
// digits of the moment.

internal import Accounts
internal import Identity
internal import Tokens

/// What became of credentials that came with a request.
package enum BasicVerdict: Equatable, Sendable {
    case proven(SignInProof)
    /// Name, password or code: it is never told which.
    case wrong
    /// Somebody who is cut off.
    case neutralized
    /// Nothing was learnt.
    case unavailable
}

extension SignInDesk {
    /// Bytes of encoded credentials.
    private static let basicMax = 4096

    /// Judges credentials in base64; blocks as long as PAM takes.
    ///
    /// - Parameters:
    ///   - credentials: What stands behind `Basic `.
    ///   - request: Where they come from: peer, listener, certificate and time.
    /// - Returns: whom they prove; the code is spent then.
    package func basic(_ credentials: [UInt8], _ request: OwnRequest) -> BasicVerdict {
        guard let accounts = settings.accounts, credentials.count <= Self.basicMax,
            let text = decodeBase64(credentials),
            let colon = text.firstIndex(of: UInt8(ascii: ":")),
            text.count - colon - 1 > codeDigits,
            let name = String(validating: text[..<colon], as: UTF8.self)
        else {
            journal(.refused, request, nil, "basic")
            return .wrong
        }
        let password = Array(text[(colon + 1)..<(text.count - codeDigits)])
        let code = Array(text.suffix(codeDigits))
        let outcome = judge(
            name: name, password: password, accounts, source: request.peer, now: request.now)
        guard case .right(let account) = outcome else {
            switch outcome {
            case .unavailable(let word):
                journal(.refused, request, nil, "pam-\(word)")
                return .unavailable
            case .wait:
                journal(.delayed, request, nil, "basic")
                return .wrong
            default: break
            }
            // The same work as for a password that is right.
            _ = try? accounts.store.useCode(code.span, of: nil, now: request.now)
            journal(.refused, request, nil, "basic-password")
            return .wrong
        }
        switch judge(
            code: code, account.name, accounts, source: request.peer, now: request.now)
        {
        case .right: break
        case .unavailable: return .unavailable
        case .wait:
            journal(.delayed, request, account, "basic-code")
            return .wrong
        case .wrong(let word):
            journal(.refused, request, account, "basic-\(word)")
            return .wrong
        }
        guard var proof = proof(of: account, .pamTOTP, accounts, now: request.now) else {
            return .wrong
        }
        proof.peer = request.peer
        proof.certificate = request.certificate
        switch hooks.admit(proof) {
        case .admitted(let admitted):
            journal(.signedIn, request, account, "basic")
            return .proven(admitted)
        case .neutralized:
            journal(.refused, request, account, "neutralized")
            return .neutralized
        case .refused(let word):
            journal(.refused, request, account, word)
            return .wrong
        }
    }
}

/// Base64 of RFC 4648 §4 with its padding; nil for anything else.
func decodeBase64(_ text: [UInt8]) -> [UInt8]? {
    guard text.count % 4 == 0, !text.isEmpty else { return nil }
    var url = text
    var padding = 0
    while padding < 2, url.last == UInt8(ascii: "=") {
        url.removeLast()
        padding += 1
    }
    for index in url.indices {
        switch url[index] {
        case UInt8(ascii: "+"): url[index] = UInt8(ascii: "-")
        case UInt8(ascii: "/"): url[index] = UInt8(ascii: "_")
        // Letters of the other alphabet have no business in this one.
        case UInt8(ascii: "-"), UInt8(ascii: "_"): return nil
        default: break
        }
    }
    return decodeBase64URL(url.span)
}
