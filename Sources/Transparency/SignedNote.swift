// SignedNote.swift: a text and who signed it (C2SP signed-note).

internal import Foundation

/// A text of lines and its signatures.
package struct SignedNote: Equatable, Sendable {
    /// One signature line.
    package struct Signature: Equatable, Sendable {
        package let name: String
        /// The four bytes that tell keys of one name apart.
        package let id: [UInt8]
        package let bytes: [UInt8]

        /// Whether it claims to be of this key; names are compared by their bytes, two that look
        /// alike being two.
        package func isOf(_ key: NoteVerifier) -> Bool {
            id == key.id && name.utf8.elementsEqual(key.name.utf8)
        }
    }

    /// Ends with a line feed.
    package let text: String
    package private(set) var signatures: [Signature]

    /// Bytes of a note that is read.
    package static let lengthMax = 64 * 1024
    /// Signatures of a note that are read.
    package static let signaturesMax = 64

    /// Signs `text`, which ends with a line feed; nil when it does not, or the library refuses.
    package init?(_ text: String, by signer: NoteSigner) {
        guard text.hasSuffix("\n"), let signature = signer.signature(over: Array(text.utf8)) else {
            return nil
        }
        self.text = text
        signatures = [
            Signature(name: signer.verifier.name, id: signer.verifier.id, bytes: signature)
        ]
    }

    /// Reads a note; nil when it is none.
    package init?(_ note: String) {
        guard note.utf8.count <= Self.lengthMax, note.hasSuffix("\n"),
            let border = note.range(of: "\n\n", options: .backwards),
            note.unicodeScalars.allSatisfy({ $0.value >= 0x20 || $0 == "\n" })
        else { return nil }
        text = String(note[..<border.lowerBound]) + "\n"
        signatures = []
        let lines = note[border.upperBound...].split(
            separator: "\n", omittingEmptySubsequences: false)
        for line in lines.dropLast() {
            guard let signature = Self.signature(line), signatures.count < Self.signaturesMax else {
                return nil
            }
            signatures.append(signature)
        }
        guard !signatures.isEmpty else { return nil }
    }

    /// Reads the lines of signatures that others answer with; nil when one is none.
    package static func signatures(_ lines: String) -> [Signature]? {
        var signatures: [Signature] = []
        for line in lines.split(separator: "\n") {
            guard let signature = signature(line), signatures.count < signaturesMax else {
                return nil
            }
            signatures.append(signature)
        }
        return signatures
    }

    private static func signature(_ line: Substring) -> Signature? {
        guard line.hasPrefix("— ") else { return nil }
        let parts = line.dropFirst(2).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, isNoteName(String(parts[0])),
            let bytes = decodedBase64(parts[1]), bytes.count > 4
        else { return nil }
        return Signature(
            name: String(parts[0]), id: Array(bytes.prefix(4)), bytes: Array(bytes.dropFirst(4)))
    }

    /// Adds a signature of somebody else's.
    package mutating func add(_ signature: Signature) {
        guard signatures.count < Self.signaturesMax else { return }
        signatures.append(signature)
    }

    /// The note as it is written.
    package var description: String {
        signatures.reduce(text + "\n") { note, signature in
            note + "— " + signature.name + " "
                + Data(signature.id + signature.bytes).base64EncodedString() + "\n"
        }
    }

    /// Whether `key` signed the text.
    ///
    /// A signature under its name and id that is not its own makes the note false, whatever others
    /// it has.
    package func isSigned(by key: NoteVerifier) -> Bool {
        let own = signatures.filter { $0.isOf(key) }
        return !own.isEmpty && own.allSatisfy { isGood($0, by: key) != nil }
    }

    /// When the witness `key` signed, in seconds since 1970; nil when it did not.
    package func cosigned(by key: NoteVerifier) -> UInt64? {
        signatures.lazy
            .filter { $0.isOf(key) }
            .compactMap { isGood($0, by: key) }.first
    }

    /// The time of a signature, 0 for one without; nil when it is not good.
    private func isGood(_ signature: Signature, by key: NoteVerifier) -> UInt64? {
        switch key.algorithm {
        case .ed25519:
            return key.verifies(signature.bytes, over: Array(text.utf8)) ? 0 : nil
        case .cosignature:
            guard signature.bytes.count == 72 else { return nil }
            let time = signature.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let signed = Array("cosignature/v1\ntime \(time)\n\(text)".utf8)
            return key.verifies(Array(signature.bytes.dropFirst(8)), over: signed) ? time : nil
        }
    }
}
