// IssuerFetching.swift: an issuer's metadata and keys, from where they are.

internal import Glibc
internal import JSON
internal import Outbound
internal import Tokens

func fetchMetadata(
    _ settings: IssuerSettings, from address: String
) throws(IssuerError) -> IssuerMetadata {
    var request = FetchRequest(url: address)
    request.tls = settings.tls
    request.fields = [("Accept", "application/json")]
    request.answerMax = IssuerMetadata.bytesMax
    let document = try json(of: try answer(to: request), from: address)
    return try IssuerMetadata(
        document, from: address, issuer: settings.issuer,
        showsCertificate: settings.tls.certificate != nil)
}

/// Keys, and the text they stand in.
struct FetchedKeys {
    let keys: KeySet
    let text: [UInt8]
}

func fetchKeys(
    _ settings: IssuerSettings, _ source: IssuerSettings.KeySource
) throws(IssuerError) -> FetchedKeys {
    let place: String
    var text: [UInt8]
    switch source {
    case .file(let path):
        place = path
        text = try readFile(path, bytesMax: KeySet.bytesMax)
    case .url(let url):
        place = url
        var request = FetchRequest(url: url)
        request.tls = settings.tls
        request.fields = [("Accept", "application/json, application/jwk-set+json")]
        request.answerMax = KeySet.bytesMax
        text = try answer(to: request).body
    }
    do throws(TokenRefusal) {
        let keys = try KeySet(json: text.span)
        return FetchedKeys(keys: keys, text: text)
    } catch {
        let what =
            switch error {
            case .noUsableKey: "has no key that can be used here"
            case .tooLarge: "has more keys than are read"
            default: "is no set of keys"
            }
        throw .malformed(address: place, what: what)
    }
}

/// An answer of 200, from an address that needs no more than to be asked.
func answer(to request: FetchRequest) throws(IssuerError) -> FetchAnswer {
    let answer: FetchAnswer
    do throws(FetchError) { answer = try fetch(request) } catch { throw .unavailable(error) }
    guard answer.status == 200 else {
        throw .status(address: shown(request.url), answer.status)
    }
    return answer
}

func json(of answer: FetchAnswer, from address: String) throws(IssuerError) -> JSONValue {
    let body = answer.body
    do throws(JSONError) {
        return try JSONValue(body.span)
    } catch {
        let what =
            switch error {
            case .syntax: "its answer is no JSON"
            case .duplicateKey: "its answer has one key twice"
            case .tooDeep, .tooLarge: "its answer is larger or deeper than is read"
            }
        throw .malformed(address: shown(address), what: what)
    }
}

/// An address without what stands behind `?`.
func shown(_ url: String) -> String { String(url.prefix { $0 != "?" }.prefix(200)) }

/// A whole file of the operator's.
func readFile(_ path: String, bytesMax: Int) throws(IssuerError) -> [UInt8] {
    // Safe because the name outlives the call.
    let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw .file(path: path, problem: "cannot be read") }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
    var filled = 0
    while filled < bytes.count {
        let count = unsafe bytes.withUnsafeMutableBytes { room in
            // Safe because filled < room.count, and at most the rest is written.
            unsafe read(file, room.baseAddress.map { unsafe $0 + filled }, room.count - filled)
        }
        guard count >= 0 else { throw .file(path: path, problem: "cannot be read") }
        if count == 0 { break }
        filled += count
    }
    guard filled <= bytesMax else {
        throw .file(path: path, problem: "is larger than \(bytesMax) bytes")
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
}
