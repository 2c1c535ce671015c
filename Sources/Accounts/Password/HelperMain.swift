// HelperMain.swift: what `herse pam-helper` does: answers one question after another, until the gate
// is gone.

internal import CPAM
internal import CSystem
internal import Glibc
internal import Reactor

/// The socket to the gate.
private let gateSocket: Int32 = 3

/// Answers the gate's questions until it hangs up; false when nobody is there to ask.
package func runPasswordHelper() -> Bool {
    guard isSocket(gateSocket), herse_seal_process() == 0 else { return false }
    do {
        try startThread(name: "watch-gate", watchGate)
    } catch {
        return false
    }
    var packet = [UInt8](repeating: 0, count: PasswordQuestion.lengthMax)
    while true {
        let count = unsafe packet.withUnsafeMutableBytes { room in
            // Safe because the kernel writes at most as many bytes as the room has.
            unsafe recv(gateSocket, room.baseAddress, room.count, 0)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return true }
        let answer = answer(to: &packet, count: count).packet
        let sent = unsafe answer.withUnsafeBytes { bytes in
            // Safe because the bytes outlive the call.
            unsafe send(gateSocket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == answer.count else { return true }
    }
}

private func isSocket(_ descriptor: Int32) -> Bool {
    var status = stat()
    // Safe because status lives on the stack for the call.
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
}

/// Ends this process, and all that modules have started in its session, when the gate is gone.
///
/// `PR_SET_PDEATHSIG` would not do: it fires when the *thread* ends that started the helper, and it
/// spares the modules' own children.
private func watchGate() {
    var wait = pollfd(fd: gateSocket, events: Int16(HERSE_POLLRDHUP), revents: 0)
    while true {
        // Safe because the one entry lives on the stack for the call.
        let ready = unsafe poll(&wait, 1, -1)
        if ready < 0, errno == EINTR { continue }
        let gone = Int16(HERSE_POLLRDHUP) | Int16(POLLHUP) | Int16(POLLERR) | Int16(POLLNVAL)
        if ready < 0 || wait.revents & gone != 0 {
            kill(0, SIGKILL)
            _exit(0)
        }
    }
}

/// Asks PAM, and holds back what is not "right" until it is time; wipes the question.
private func answer(to packet: inout [UInt8], count: Int) -> PasswordAnswer {
    let began = herse_clock(CLOCK_MONOTONIC) / 1_000_000
    var hold: UInt32 = 0
    var verdict = PasswordVerdict.unavailable(.conversation)
    if let question = readQuestion(packet.span.extracting(0..<count)) {
        hold = question.hold
        verdict = unsafe packet.withUnsafeBytes { raw in
            // Safe because each text ends in a NUL within the packet, as readQuestion has seen.
            let texts = unsafe question.texts.map { offset in
                unsafe (raw.baseAddress.map { unsafe $0 + offset })?
                    .assumingMemoryBound(to: CChar.self)
            }
            return unsafe ask(texts)
        }
    }
    overwrite(&packet)
    let took = herse_clock(CLOCK_MONOTONIC) / 1_000_000 - began
    if verdict != .right, took < hold { usleep(UInt32(UInt64(hold) - took) * 1000) }
    return PasswordAnswer(verdict: verdict, took: UInt32(clamping: took))
}

/// Things a module may say in one conversation, and their bytes.
private let messagesMax: Int32 = 16
private let messageBytesMax = 64 * 1024

/// One transaction with PAM: service, user, source, terminal, answers.
private func ask(_ texts: [UnsafePointer<CChar>?]) -> PasswordVerdict {
    let answers = unsafe Array(texts.dropFirst(4))
    return unsafe answers.withUnsafeBufferPointer { answers in
        // Safe because all of it lives until pam_end, the last that calls back.
        var conversation = unsafe herse_conversation(
            answers: answers.baseAddress, answer_count: Int32(answers.count), given: 0,
            messages: 0, messages_max: messagesMax, bytes: 0, bytes_max: messageBytesMax, flaw: 0)
        return unsafe withUnsafeMutablePointer(to: &conversation) { conversation in
            var room = unsafe pam_conv()
            var handle: OpaquePointer?
            let status = unsafe herse_pam_start(
                texts[0], texts[1], conversation, &room, &handle)
            guard status == PAM_SUCCESS, let handle = unsafe handle else {
                return .unavailable(.pam(code: status))
            }
            let result = unsafe transact(handle, source: texts[2], terminal: texts[3])
            unsafe pam_end(handle, result.status)
            return unsafe verdict(result.status, result.isRight, flaw: conversation.pointee.flaw)
        }
    }
}

/// Asks whether the password is right, and then whether the account may be used.
private func transact(
    _ handle: OpaquePointer, source: UnsafePointer<CChar>?, terminal: UnsafePointer<CChar>?
) -> (status: Int32, isRight: Bool) {
    // Safe because libpam copies the texts.
    var status = unsafe herse_pam_set_text(handle, PAM_RHOST, source)
    guard status == PAM_SUCCESS else { return (status, false) }
    status = unsafe herse_pam_set_text(handle, PAM_TTY, terminal)
    guard status == PAM_SUCCESS else { return (status, false) }
    let flags = Int32(PAM_DISALLOW_NULL_AUTHTOK) | Int32(PAM_SILENT)
    status = unsafe pam_authenticate(handle, flags)
    guard status == PAM_SUCCESS else { return (status, false) }
    return unsafe (pam_acct_mgmt(handle, flags), true)
}

/// PAM's answer in our words; whatever is not known learns nothing.
private func verdict(_ status: Int32, _ isRight: Bool, flaw: Int32) -> PasswordVerdict {
    switch flaw {
    case 0: break
    case Int32(HERSE_CONVERSATION_NO_ANSWER): return .unavailable(.unanswered)
    default: return .unavailable(.conversation)
    }
    switch (status, isRight) {
    case (PAM_SUCCESS, true): return .right
    case (PAM_NEW_AUTHTOK_REQD, _), (PAM_AUTHTOK_EXPIRED, true), (PAM_CRED_EXPIRED, true):
        return .expired(mustChange: true)
    case (PAM_ACCT_EXPIRED, true): return .expired(mustChange: false)
    case (PAM_AUTH_ERR, true), (PAM_USER_UNKNOWN, true), (PAM_PERM_DENIED, true): return .denied
    // Before the password is proven nothing is told of the account, such as that it has expired.
    case (PAM_AUTH_ERR, false), (PAM_USER_UNKNOWN, false), (PAM_MAXTRIES, _),
        (PAM_CRED_INSUFFICIENT, false), (PAM_PERM_DENIED, false), (PAM_ACCT_EXPIRED, false):
        return .wrong
    default: return .unavailable(.pam(code: status))
    }
}
