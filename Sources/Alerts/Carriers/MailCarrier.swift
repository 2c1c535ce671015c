// MailCarrier.swift: notices as mail, through a server or a program of this machine.

internal import CSystem
internal import Glibc
internal import Outbound

/// Hands mail to one mailer.
final class MailCarrier: AlertCarrier {
    private let target: MailTarget

    init(_ target: MailTarget) { self.target = target }

    func deliver(_ notice: AlertNotice) throws(DeliveryProblem) -> String {
        switch target.mailer {
        case .program(let path):
            // What a program reads has the lines of this system.
            return try runMailer(path, mailMessage(notice, target, lineEnd: "\n"))
        case .server(let server):
            var mail = MailRequest(
                url: server.url, sender: target.sender, recipients: target.recipients,
                message: mailMessage(notice, target, lineEnd: "\r\n"))
            mail.user = server.user
            mail.password = server.password
            mail.allowsClearText = server.allowsClearText
            mail.tls = server.tls
            do throws(MailError) {
                return try submit(mail)
            } catch {
                throw DeliveryProblem(error.description)
            }
        }
    }
}

/// Milliseconds a mailer may take.
private let mailerDeadline: Int32 = 30_000

/// Runs `path -t -i` with a message to read; it is killed when it takes too long.
private func runMailer(_ path: String, _ message: [UInt8]) throws(DeliveryProblem) -> String {
    let input = unsafe herse_memory_file("herse-mail")
    let complaint = unsafe herse_memory_file("herse-mail-errors")
    defer {
        if input >= 0 { close(input) }
        if complaint >= 0 { close(complaint) }
    }
    // Safe because write reads the array's own bytes.
    guard input >= 0, complaint >= 0,
        unsafe write(input, message, message.count) == message.count,
        lseek(input, 0, SEEK_SET) == 0
    else { throw DeliveryProblem("\(path): no memory for the message") }
    // Safe because the path is read during the call alone.
    let process = unsafe herse_spawn_mailer(path, input, complaint)
    guard process > 0 else {
        throw DeliveryProblem("\(path): cannot be run (error \(-process))")
    }
    let ended = herse_child_descriptor(process)
    var state = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
    // Safe because one descriptor is given, and it is a local.
    let isOver = unsafe ended >= 0 && poll(&state, 1, mailerDeadline) == 1
    if ended >= 0 { close(ended) }
    // It has a session of its own, with all it started.
    if !isOver { kill(-process, SIGKILL) }
    var status: Int32 = 0
    // Safe because the status is a local.
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard isOver else { throw DeliveryProblem("\(path): not done within \(mailerDeadline) ms") }
    guard status & 0x7F == 0 else {
        throw DeliveryProblem("\(path): ended by signal \(status & 0x7F)")
    }
    let code = (status >> 8) & 0xFF
    guard code == 0 else {
        throw DeliveryProblem("\(path): exit status \(code): \(firstLine(of: complaint))")
    }
    return "exit status 0"
}

/// What a program complained of first.
private func firstLine(of file: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 200)
    // Safe because read writes at most the array.
    guard lseek(file, 0, SEEK_SET) == 0 else { return "" }
    let count = unsafe read(file, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != 0x0A }, as: UTF8.self)
}
