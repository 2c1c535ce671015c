// Fuzz.swift: the one door for a fuzz target: any bytes, as everything this module reads.

internal import JSON
internal import Tokens

/// Feeds `bytes` to a reader of this module that the first byte chooses; nothing may trap.
package func fuzzSignals(_ bytes: Span<UInt8>) {
    guard bytes.count > 0 else { return }
    let rest = bytes.extracting(1..<bytes.count)
    switch bytes[0] & 3 {
    case 0:
        guard let value = try? JSONValue(rest) else { return }
        if let subject = try? SubjectIdentifier(value) {
            _ = subject.part("user")
            _ = subject.part("session")
        }
    case 1:
        if let answer = PollAnswer(json: rest) {
            precondition(answer.items.count <= PollAnswer.itemsMax, "as many as are allowed")
        }
    case 2:
        var copy: [UInt8] = []
        for index in rest.indices { copy.append(rest[index]) }
        guard let (lines, length) = try? LineJournal.lines(of: copy, "fuzz") else { return }
        precondition(length <= copy.count, "no more than there is")
        for line in lines { _ = ProofMoments.read(line) }
    default: fuzzEvent(rest)
    }
}

/// Claims as any issuer could sign them, and the same with a signature that is none.
private func fuzzEvent(_ claims: Span<UInt8>) {
    let now: Int64 = 1_800_000_000
    let rules = StreamRules(issuer: "https://i.example", audience: "a", algorithms: [.es256])
    if let value = try? JSONValue(claims),
        let event = try? event(of: value, rules: rules, now: now)
    {
        precondition(event.moment <= now, "nothing has happened that is still to come")
        precondition(event.issuedAt <= now + rules.leeway, "nor was it signed")
        precondition(!event.id.isEmpty, "what has no name would be taken again and again")
    }
    guard let keys = try? KeySet(json: FuzzStream.set.span) else { return }
    var copy: [UInt8] = []
    for index in claims.indices { copy.append(claims[index]) }
    let head = encodeBase64URL(Array(#"{"alg":"ES256","typ":"secevent+jwt"}"#.utf8))
    let token = Array("\(head).\(encodeBase64URL(copy)).\(encodeBase64URL([0]))".utf8)
    if (try? verifySecurityEvent(token.span, keys: keys, rules: rules, now: now)) != nil {
        preconditionFailure("nobody but the issuer signs")
    }
}

/// A set with one key, whose private half nobody has kept.
private enum FuzzStream {
    static let set = Array(
        (#"{"keys":[{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","#
            + #""y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]}"#).utf8)
}
