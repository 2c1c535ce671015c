// ScratchPKI.swift: authorities and certificates for a few minutes, by the openssl command.

import Foundation

/// Paths of a certificate and its key, PEM.
package struct Identity: Sendable {
    package let certificate: String
    package let key: String

    /// The certificate's DER.
    package func der() throws -> [UInt8] {
        try openssl(["x509", "-in", certificate, "-outform", "DER"])
    }
}

/// A folder that goes away with the object.
package final class ScratchFolder: Sendable {
    package let path: String

    package init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "herse-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file, and returns its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }
}

/// An authority and what it signs.
package final class ScratchAuthority: Sendable {
    package let folder: ScratchFolder
    package let identity: Identity

    package init(_ name: String = "Authority") throws {
        folder = try ScratchFolder()
        identity = Identity(
            certificate: folder.file("authority.pem"), key: folder.file("authority.key"))
        try openssl(
            [
                "req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-nodes",
                "-keyout", identity.key, "-out", identity.certificate,
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
            ] + Self.newKey)
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    /// A certificate with these extensions, such as `subjectAltName=DNS:localhost`.
    package func issue(
        _ name: String, _ extensions: [String] = [], serial: Int? = nil
    ) throws -> Identity {
        let made = Identity(
            certificate: folder.file(name + ".pem"), key: folder.file(name + ".key"))
        try openssl(
            [
                "req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-nodes",
                "-CA", identity.certificate, "-CAkey", identity.key,
                "-keyout", made.key, "-out", made.certificate,
            ] + Self.newKey
                + (["basicConstraints=CA:FALSE"] + extensions).flatMap { ["-addext", $0] }
                + (serial.map { ["-set_serial", String($0)] } ?? []))
        return made
    }

    /// A server's certificate for the loopback address and `localhost`.
    package func server(_ name: String = "server") throws -> Identity {
        try issue(name, ["subjectAltName=IP:127.0.0.1,DNS:localhost"])
    }
}

/// Runs the openssl command, and returns what it wrote.
@discardableResult
package func openssl(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let (inPipe, outPipe) = (Pipe(), Pipe())
    process.standardInput = inPipe
    process.standardOutput = outPipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Less than a pipe holds, so that nobody waits for anybody.
    try inPipe.fileHandleForWriting.write(contentsOf: Data(input))
    try inPipe.fileHandleForWriting.close()
    let output = try outPipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw StubError("openssl \(arguments.joined(separator: " ")): failed")
    }
    return Array(output)
}
