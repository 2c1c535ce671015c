// AccountText.swift: an account as the text of its file.
//
//     herse account 1
//     name anne
//     professional 899700218896
//     …
//     end SHA-256 of all lines before, in hexadecimal
//
// The file is replaced as a whole, so a crash cannot tear it; the last line tells of a disk that
// rots and of a hand that edits. A line that is not known refuses the file: it may be of a later
// version, and what it says may matter.

private let firstLine = "herse account 1"

/// Bytes of the longest file: ten keys of the largest size, and room for the rest.
let accountFileMax = 128 * 1024

/// The text of an account.
func accountText(_ account: Account) -> [UInt8] {
    var lines = [firstLine, "name \(account.name)", "professional \(account.professional)"]
    if let structure = account.structure { lines.append("structure \(structure)") }
    lines.append("state \(account.state.rawValue)")
    lines.append("epoch \(account.epoch)")
    lines.append("created \(account.createdAt) \(account.createdBy)")
    if let time = account.signedInAt { lines.append("signed-in \(time)") }
    if let totp = account.totp {
        lines.append("totp \(totp.enrolledAt) \(totp.lastStep) \(hexadecimal(totp.bytes))")
    }
    for key in account.keys {
        lines.append("key \(key.enrolledAt) \(base64URL(key.id)) \(base64URL(key.bytes))")
    }
    if let link = account.link {
        let factors = link.factors.map(\.rawValue).sorted().joined(separator: ",")
        lines.append("link \(link.expiresAt) \(factors) \(hexadecimal(link.hash))")
    }
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    return text + Array("end \(hexadecimal(sha256(text.span)))\n".utf8)
}

/// Reads an account; nil when it is not one that was written here whole.
func account(text bytes: [UInt8], name: AccountName) -> Account? {
    // `end `, 64 digits and the line feed.
    let endLength = 69
    guard bytes.count > endLength, bytes.count <= accountFileMax else { return nil }
    let content = Array(bytes.prefix(bytes.count - endLength))
    guard
        Array(bytes.suffix(endLength)) == Array("end \(hexadecimal(sha256(content.span)))\n".utf8),
        content.allSatisfy({ $0 == 0x0A || (0x20...0x7E).contains($0) }), content.last == 0x0A
    else { return nil }
    let text = String(decoding: content, as: UTF8.self)
    var lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.removeFirst() == firstLine else { return nil }
    var reading = AccountReading()
    for line in lines where !reading.take(line) { return nil }
    return reading.account(named: name)
}

/// The lines of an account read so far.
private struct AccountReading {
    private var words: [Substring: [Substring]] = [:]
    private var keys: [AccountKey] = []

    /// The words that may begin a line, and how many follow each.
    private static let counts: [Substring: Int] = [
        "name": 1, "professional": 1, "structure": 1, "state": 1, "epoch": 1, "created": 2,
        "signed-in": 1, "totp": 3, "key": 3, "link": 3,
    ]

    /// Takes a line; false when it is none.
    mutating func take(_ line: Substring) -> Bool {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard let word = parts.first, parts.count - 1 == Self.counts[word],
            parts.allSatisfy({ !$0.isEmpty })
        else { return false }
        let rest = Array(parts.dropFirst())
        guard word == "key" else { return words.updateValue(rest, forKey: word) == nil }
        guard keys.count < Account.keysMax, let time = Int64(rest[0]),
            let id = bytes(base64URL: rest[1]), let content = bytes(base64URL: rest[2])
        else { return false }
        keys.append(AccountKey(id: id, bytes: content, enrolledAt: time))
        return true
    }

    /// The account, when all that must be there is.
    func account(named name: AccountName) -> Account? {
        guard words["name"]?[0] == Substring(name.description),
            let professional = words["professional"]?[0],
            let state = words["state"].flatMap({ Account.State(rawValue: String($0[0])) }),
            let epoch = words["epoch"].flatMap({ UInt64($0[0]) }),
            let created = words["created"], let createdAt = Int64(created[0])
        else { return nil }
        var account = Account(
            name: name, professional: String(professional),
            structure: words["structure"].map { String($0[0]) }, epoch: epoch,
            createdAt: createdAt, createdBy: String(created[1]))
        account.state = state
        account.keys = keys
        if let word = words["signed-in"]?[0] {
            guard let time = Int64(word) else { return nil }
            account.signedInAt = time
        }
        if let words = words["totp"] {
            guard let secret = secret(words) else { return nil }
            account.totp = secret
        }
        if let words = words["link"] {
            guard let link = link(words) else { return nil }
            account.link = link
        }
        return account
    }

    private func secret(_ words: [Substring]) -> OneTimeSecret? {
        guard let time = Int64(words[0]), let step = Int64(words[1]),
            let secret = bytes(hexadecimal: words[2]), OneTimeSecret.lengths.contains(secret.count)
        else { return nil }
        return OneTimeSecret(bytes: secret, enrolledAt: time, lastStep: step)
    }

    private func link(_ words: [Substring]) -> EnrolmentLink? {
        var factors: Set<SecondFactor> = []
        for word in words[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let factor = SecondFactor(rawValue: String(word)) else { return nil }
            factors.insert(factor)
        }
        guard let time = Int64(words[0]), let hash = bytes(hexadecimal: words[2]), hash.count == 32
        else { return nil }
        return EnrolmentLink(hash: hash, factors: factors, expiresAt: time)
    }
}
