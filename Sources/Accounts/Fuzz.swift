// Fuzz.swift: the doors for fuzz targets: any bytes, as everything this module reads.

/// Reads `bytes` as the file of an account, once as they are and once with the last line that
/// belongs to them: else nothing would be seen behind the hash.
package func fuzzAccount(_ bytes: Span<UInt8>) {
    guard let anne = AccountName("anne") else { return }
    let text = copied(bytes)
    if let account = account(text: text, name: anne) { check(account) }
    let sealed = text + Array("end \(hexadecimal(sha256(text.span)))\n".utf8)
    if let account = account(text: sealed, name: anne) { check(account) }
    if let name = AccountName(typed: bytes) {
        precondition(AccountName(name.description) == name, "a name reads back")
        precondition((1...AccountName.lengthMax).contains(name.description.utf8.count), "and fits")
    }
    let part = String(decoding: text.prefix(256), as: UTF8.self)
    if let bytes = Accounts.bytes(base64URL: part[...]) {
        precondition(base64URL(bytes) == part, "one text for one value")
    }
    if let bytes = Accounts.bytes(hexadecimal: part[...]) {
        precondition(hexadecimal(bytes) == part, "one text for one value")
    }
    let step = matchingStep(of: bytes, secret: Array(0..<20), now: 1_234_567_890)
    precondition(step == nil || bytes.count == codeDigits, "a code is six digits")
}

private func check(_ account: Account) {
    precondition(account.keys.count <= Account.keysMax, "as many keys as are kept")
    precondition(account.link.map { $0.hash.count == 32 } ?? true, "a SHA-256")
    let again = Accounts.account(text: accountText(account), name: account.name)
    precondition(again == account, "an account reads back")
}

/// Reads `bytes` as a question to the password helper and as its answer.
package func fuzzPasswordMessage(_ bytes: Span<UInt8>) {
    if let question = readQuestion(bytes) {
        precondition((5...255).contains(question.texts.count), "four names and a password")
        for offset in question.texts {
            var end = offset
            // Each text ends in a NUL inside the packet: libpam reads until there.
            while end < bytes.count, bytes[end] != 0 { end += 1 }
            precondition(end < bytes.count, "a text ends where the packet does, at the latest")
        }
    }
    if let answer = readAnswer(bytes) {
        precondition(answer.packet == copied(bytes) || bytes[1] < 7, "an answer reads back")
        let packet = answer.packet
        precondition(readAnswer(packet.span) == answer, "and means the same")
    }
    let texts = copied(bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
    let question = PasswordQuestion(
        hold: 1, service: "herse", user: "anne", source: "::1", terminal: "herse")
    let password = Array(texts.first ?? [])
    let further = texts.dropFirst().map { Array($0) }
    guard let packet = question.packet(password: password.span, further: further) else { return }
    guard let read = readQuestion(packet.span) else { preconditionFailure("what is asked is read") }
    precondition(packet.count <= PasswordQuestion.lengthMax, "and fits")
    for (offset, text) in zip(read.texts.dropFirst(4), [password] + further) {
        precondition(Array(packet[offset..<offset + text.count]) == text, "as it was asked")
        precondition(packet[offset + text.count] == 0, "with its end")
    }
}

private func copied(_ bytes: Span<UInt8>) -> [UInt8] {
    // Safe because the bytes are copied before the call ends.
    unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe Array(bytes)
    }
}
