// CardProfile.swift: the kinds of certificates that reach a gate, laid out as the real ones are.

/// What a card's certificate says, and for how long.
package struct CardProfile: Equatable, Sendable {
    package var subject: [[NamePart]]
    /// As OpenSSL's configuration writes it.
    package var keyUsage = "digitalSignature,keyEncipherment"
    package var extendedKeyUsage: String? = "clientAuth"
    package var validity = Validity.month

    /// A professional's own card: identifier, surname and given name in one relative name.
    package static func professional(
        id: String, surname: String, givenName: String, title: String
    ) -> CardProfile {
        CardProfile(subject: [
            [NamePart("C", "FR")], [NamePart("title", title)],
            [NamePart("CN", id), NamePart("SN", surname), NamePart("GN", givenName)],
        ])
    }

    /// The card of a structure's employee: `id` is the structure, "/", a register number.
    package static func employee(
        id: String, structure: String, surname: String, givenName: String
    ) -> CardProfile {
        CardProfile(subject: [
            [NamePart("C", "FR")], [NamePart("OU", structure)],
            [NamePart("CN", id), NamePart("SN", surname), NamePart("GN", givenName)],
        ])
    }

    /// The certificate of a structure's software: it proves no human.
    package static func organisation(
        structure: String, name: String, service: String
    ) -> CardProfile {
        CardProfile(subject: [
            [NamePart("C", "FR")], [NamePart("ST", "Paris (75)")], [NamePart("O", name)],
            [NamePart("OU", structure)], [NamePart("CN", service)],
        ])
    }

    /// A card handed from one to the next: it names nobody.
    package static func serviceCard(
        id: String, structure: String, pseudonym: String
    ) -> CardProfile {
        CardProfile(subject: [
            [NamePart("C", "FR")], [NamePart("OU", structure)],
            [NamePart("title", "Carte de service santé ou social")],
            [NamePart("pseudonym", pseudonym)], [NamePart("CN", id)],
        ])
    }

    /// The other certificate of the same card: same subject, made for signing documents.
    package var forSigning: CardProfile {
        var profile = self
        profile.keyUsage = "digitalSignature,nonRepudiation"
        profile.extendedKeyUsage = "emailProtection"
        return profile
    }

    /// The same card, over since yesterday.
    package var expired: CardProfile {
        var profile = self
        profile.validity = .past
        return profile
    }
}

/// A card that was issued, and where its files are.
package struct Card: Equatable, Sendable {
    package let name: String
    package let certificatePath: String
    package let keyPath: String
    /// Big-endian, 18 bytes.
    package let serial: [UInt8]
    /// SHA-256 of the certificate.
    package let fingerprint: [UInt8]

    /// In lower-case hexadecimal, as the neutralization list writes it.
    package var fingerprintText: String { hexadecimal(fingerprint) }
    package var serialText: String { hexadecimal(serial) }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
}
