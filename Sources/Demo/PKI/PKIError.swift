// PKIError.swift: why a throw-away certificate, key or list could not be made.

import COpenSSL

/// Why the throw-away PKI could not do what was asked.
package enum PKIError: Error, Equatable, CustomStringConvertible {
    /// A card's name becomes a file name: 1 to 64 of `a-z 0-9 -`.
    case badName(String)
    case nameTaken(String)
    case folderNotEmpty(String)
    case cannotMakeFolder(String, code: Int32)
    case cannotWrite(String, code: Int32)
    case openSSL(step: String, detail: String)

    package var description: String {
        switch self {
        case .badName(let name): "`\(name)`: a card's name is 1 to 64 of `a-z 0-9 -`"
        case .nameTaken(let name): "`\(name)`: a card has this name already"
        case .folderNotEmpty(let path): "\(path): the folder is not empty"
        case .cannotMakeFolder(let path, let code):
            "\(path): cannot make the folder (error \(code))"
        case .cannotWrite(let path, let code): "\(path): cannot write (error \(code))"
        case .openSSL(let step, let detail): "openssl: cannot \(step): \(detail)"
        }
    }

    /// What OpenSSL last complained of, taken from this thread's queue.
    static func last(_ step: String) -> PKIError {
        var text = [CChar](repeating: 0, count: 256)
        // Safe because OpenSSL writes at most the length it is given, terminator included.
        unsafe ERR_error_string_n(ERR_get_error(), &text, text.count)
        ERR_clear_error()
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return .openSSL(step: step, detail: String(decoding: bytes, as: UTF8.self))
    }
}

/// Throws what OpenSSL complains of unless it answered 1 or more.
func expect(_ answer: Int32, _ step: String) throws(PKIError) {
    guard answer > 0 else { throw .last(step) }
}

/// Throws what OpenSSL complains of when it made nothing.
func made(_ pointer: OpaquePointer?, _ step: String) throws(PKIError) -> OpaquePointer {
    guard let pointer = unsafe pointer else { throw .last(step) }
    return unsafe pointer
}
