// ByteSets.swift: the tables of bytes against the grammars they stand for.

import Testing

@testable import Wire

@Suite struct `A set of bytes` {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let alphanumeric = Set(letters + Array("0123456789".utf8))

    @Test func `holds what its grammar says and nothing else`() {
        let cases: [(ByteSet, String)] = [
            (.token, "!#$%&'*+-.^_`|~"), (.plainName, "-"), (.unreserved, "-._~"),
            (.segment, "-_~!$&'()*+,=:@"), (.alphanumeric, ""),
        ]
        for (set, others) in cases {
            let expected = `A set of bytes`.alphanumeric.union(others.utf8)
            for byte in UInt8.min...UInt8.max {
                #expect(set.contains(byte) == expected.contains(byte), "\(others) \(byte)")
            }
        }
    }

    @Test func `of field text ends at a control byte, wherever it stands`() {
        for length in 0..<40 {
            for position in 0...length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0xE9, count: length)
                    if position < length { bytes[position] = byte }
                    let isText = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
                    let expected = isText || position == length ? length : position
                    let found = endOfFieldText(bytes.span, from: 0, to: length)
                    if found != expected {
                        Issue.record("\(found) for \(byte) at \(position) of \(length)")
                    }
                }
            }
        }
    }

    @Test func `of field text is not looked at past its bound`() {
        let bytes = [UInt8](repeating: 0, count: 32)
        let empty = endOfFieldText(bytes.span, from: 8, to: 8)
        #expect(empty == 8)
        let mixed = [UInt8](repeating: 0x61, count: 16) + bytes
        for end in 0...16 {
            let found = endOfFieldText(mixed.span, from: 0, to: end)
            #expect(found == end)
        }
    }

    @Test func `of hexadecimal digits has their values`() {
        for byte in UInt8.min...UInt8.max {
            let digit = Character(UnicodeScalar(byte))
            #expect(Ascii.hexValue(byte).map(Int.init) == (byte < 0x80 ? digit.hexDigitValue : nil))
        }
    }
}
