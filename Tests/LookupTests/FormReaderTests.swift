// FormReaderTests.swift: what stands in a query string or a form.

import Testing

@testable import Lookup

@Suite struct `A form` {
    private func read(_ form: String) throws -> [[String]] {
        let bytes = Array(form.utf8)
        var reader = FormReader()
        var parameters: [[String]] = []
        while try reader.next(bytes.span) {
            parameters.append([
                String(decoding: reader.name, as: UTF8.self),
                String(decoding: reader.value, as: UTF8.self),
            ])
        }
        return parameters
    }

    @Test(
        arguments: [
            ("", []),
            ("a=b", [["a", "b"]]),
            ("a", [["a", ""]]),
            ("a=", [["a", ""]]),
            ("=b&a=c", [["a", "c"]]),
            ("&&a=b&", [["a", "b"]]),
            ("a=b=c", [["a", "b=c"]]),
            ("a=1&a=2", [["a", "1"], ["a", "2"]]),
            ("a%3Ab=c%26d%3De", [["a:b", "c&d=e"]]),
            ("a=b+c%2Bd%20e", [["a", "b c+d e"]]),
            ("a=%C3%A9", [["a", "é"]]),
            ("a=é", [["a", "é"]]),
            ("a=%2525", [["a", "%25"]]),
            ("a=;b#c?d/e", [["a", ";b#c?d/e"]]),
            ("a=%0D%0A", [["a", "\r\n"]]),
        ] as [(String, [[String]])])
    func `gives its parameters in their order, decoded once`(
        form: String, parameters: [[String]]
    ) throws {
        #expect(try read(form) == parameters)
    }

    @Test(arguments: [
        "%", "a%", "a=%", "a=%4", "a=%4g", "a=%g4", "a=%%41", "a=%00", "a%00=b", "a=%80",
        "a=%C0%80",
        "a=%F5%80%80%80", "%C3%A9=a", "a%20b=c", "a+b=c", "a;b=c", "a%3Bb=c", "a%26b=c", "a%3Db=c",
        "a%25b=c", "a#b=c", "a\\b=c", "a%7F=c",
    ])
    func `is refused where servers would guess`(form: String) {
        #expect(throws: QuestionError.formNotUnderstood) { try read(form) }
    }

    @Test func `has bounds`() throws {
        let longest = String(repeating: "a", count: FormReader.nameLengthMax)
        #expect(try read(longest).count == 1)
        #expect(throws: QuestionError.formNotUnderstood) { try read(longest + "a") }
        let most = String(repeating: "a&", count: FormReader.parametersMax)
        #expect(try read(most).count == FormReader.parametersMax)
        #expect(throws: QuestionError.formNotUnderstood) { try read(most + "a") }
        let large = String(repeating: "b", count: 1 << 20)
        #expect(try read("a=" + large) == [["a", large]])
    }
}

@Suite struct `A media type` {
    @Test(arguments: [
        ("", BodyLanguage.unnamed),
        (" ", .unnamed),
        ("application/x-www-form-urlencoded", .form),
        ("application/fhir+json; fhirVersion=4.0; charset=utf-8", .json),
        ("Application/JSON ;charset = \"UTF-8\"", .json),
        ("application/fhir+xml;", .xml),
        ("application/fhir+jsonx", .other),
        ("text/html;;", .other),
    ])
    func `is known by its name`(text: String, language: BodyLanguage) throws {
        #expect(try BodyLanguage(contentType: Array(text.utf8).span) == language)
    }

    @Test(arguments: ["a;charset=latin1", "a;charset=", "a;charset=\"", "a;b=c;CHARSET=utf-16"])
    func `is refused in another charset than UTF-8`(text: String) {
        #expect(throws: QuestionError.mediaTypeNotUnderstood) {
            try BodyLanguage(contentType: Array(text.utf8).span)
        }
    }
}
