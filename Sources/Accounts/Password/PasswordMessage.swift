// PasswordMessage.swift: what the gate and its helper say to each other.
//
// One packet there, one packet back, over a socket that keeps their borders (SOCK_SEQPACKET):
//
//     question: version, hold (4 bytes, ms), number of texts, then each: length (2 bytes), bytes, NUL
//     answer:   version, verdict, code (4 bytes), milliseconds that PAM took (4 bytes)
//
// Numbers are big-endian. The texts are service, user, source, terminal, and the answers in the
// order PAM asks for them; each ends in a NUL so that libpam reads it where it lies.

/// What is asked of PAM.
struct PasswordQuestion {
    /// Milliseconds before which an answer other than "right" is not given.
    var hold: UInt32
    let service: String
    let user: String
    let source: String
    let terminal: String

    static let version: UInt8 = 1
    /// Bytes of a question: four names and sixteen answers.
    static let lengthMax = 16 * 1024
    /// Bytes of one answer; PAM itself takes 512 with the NUL.
    static let answerMax = 511
    static let answersMax = 16

    /// The packet; nil when an answer or a name cannot be given to PAM.
    ///
    /// A NUL would cut a text short, so that a longer password passed for a shorter one.
    func packet(password: Span<UInt8>, further: [[UInt8]]) -> [UInt8]? {
        guard further.count < Self.answersMax else { return nil }
        var packet: [UInt8] = []
        // No copy of a secret is left behind by an array that grows.
        packet.reserveCapacity(Self.lengthMax)
        packet.append(Self.version)
        for shift in [24, 16, 8, 0] { packet.append(UInt8(truncatingIfNeeded: hold >> shift)) }
        packet.append(UInt8(5 + further.count))
        var isWhole = true
        func append(_ text: Span<UInt8>) {
            guard text.count <= Self.answerMax else {
                isWhole = false
                return
            }
            packet.append(UInt8(text.count >> 8))
            packet.append(UInt8(text.count & 0xFF))
            for index in 0..<text.count {
                if text[index] == 0 { isWhole = false }
                packet.append(text[index])
            }
            packet.append(0)
        }
        for text in [service, user, source, terminal] { append(Array(text.utf8).span) }
        append(password)
        for answer in further { append(answer.span) }
        guard isWhole, packet.count <= Self.lengthMax else {
            wipe(&packet)
            return nil
        }
        return packet
    }
}

/// Where the texts of a question begin in its packet; nil when it is none.
func readQuestion(_ packet: Span<UInt8>) -> (hold: UInt32, texts: [Int])? {
    guard packet.count >= 6, packet[0] == PasswordQuestion.version else { return nil }
    let hold = number(packet, at: 1)
    var texts: [Int] = []
    var offset = 6
    for _ in 0..<packet[5] {
        guard packet.count - offset >= 2 else { return nil }
        let length = Int(packet[offset]) << 8 | Int(packet[offset + 1])
        offset += 2
        guard packet.count - offset > length, packet[offset + length] == 0 else { return nil }
        texts.append(offset)
        offset += length + 1
    }
    guard offset == packet.count, texts.count >= 5 else { return nil }
    return (hold, texts)
}

/// What PAM answered.
struct PasswordAnswer: Equatable {
    let verdict: PasswordVerdict
    /// Milliseconds that PAM took.
    let took: UInt32

    static let length = 10

    var packet: [UInt8] {
        let kind: UInt8
        var code: UInt32 = 0
        switch verdict {
        case .right: kind = 0
        case .wrong: kind = 1
        case .expired(let mustChange): kind = mustChange ? 3 : 2
        case .denied: kind = 4
        case .unavailable(.conversation): kind = 5
        case .unavailable(.unanswered): kind = 6
        case .unavailable(.pam(let number)):
            kind = 7
            code = UInt32(bitPattern: number)
        // The helper knows nothing of these.
        case .unavailable(.overloaded), .unavailable(.deadline), .unavailable(.crashed): kind = 8
        }
        var packet = [PasswordQuestion.version, kind]
        for number in [code, took] {
            for shift in [24, 16, 8, 0] {
                packet.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        return packet
    }
}

/// Reads an answer; nil when it is none.
func readAnswer(_ packet: Span<UInt8>) -> PasswordAnswer? {
    guard packet.count == PasswordAnswer.length, packet[0] == PasswordQuestion.version else {
        return nil
    }
    let verdict: PasswordVerdict
    switch packet[1] {
    case 0: verdict = .right
    case 1: verdict = .wrong
    case 2: verdict = .expired(mustChange: false)
    case 3: verdict = .expired(mustChange: true)
    case 4: verdict = .denied
    case 5: verdict = .unavailable(.conversation)
    case 6: verdict = .unavailable(.unanswered)
    case 7: verdict = .unavailable(.pam(code: Int32(bitPattern: number(packet, at: 2))))
    default: return nil
    }
    return PasswordAnswer(verdict: verdict, took: number(packet, at: 6))
}

private func number(_ packet: Span<UInt8>, at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(packet[offset + $1]) }
}
