// SipHashTests.swift: the published vectors of SipHash-2-4 with 128 bits of output.

import KeyedHash
import Testing

@Suite struct `SipHash` {
    // Key 00…0f, message 00, 01, … of each length.
    @Test(arguments: [
        (0, "a3817f04ba25a8e66df67214c7550293"),
        (1, "da87c1d86b99af44347659119b22fc45"),
        (2, "8177228da4a45dc7fca38bdef60affe4"),
        (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    ])
    func `gives the published output`(length: Int, expected: String) {
        let key = SipKey(low: 0x0706_0504_0302_0100, high: 0x0F0E_0D0C_0B0A_0908)
        let message = (0..<length).map { UInt8($0) }
        let hash = sipHash128(message.span, key: key)
        #expect(hexadecimal(hash.first) + hexadecimal(hash.second) == expected)
    }

    private func hexadecimal(_ word: UInt64) -> String {
        let text = String(word.byteSwapped, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
