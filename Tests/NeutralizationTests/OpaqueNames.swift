// OpaqueNames.swift: sessions, tokens and clients in lists, commands and verdicts.

import Testing

@testable import Neutralization

private func key(_ name: String) throws -> SubjectKey {
    let bytes = Array(name.utf8)
    return try SubjectKey(name: bytes.span)
}

@Suite struct `A name somebody else gave` {
    private static let now = UnixSeconds(1_800_000_000)

    @Test(arguments: ["session", "token", "client"])
    func `is found in a list under its own kind only`(kind: String) throws {
        let state = NeutralizationState(list: try list("\(kind) Ab-1 reason=stolen\n"))
        let named = try key("Ab-1")
        func found(_ asked: String) -> Neutralized? {
            state.verdict(
                session: asked == "session" ? named : nil, token: asked == "token" ? named : nil,
                client: asked == "client" ? named : nil, now: Self.now)
        }
        for asked in ["session", "token", "client"] {
            #expect((found(asked) != nil) == (asked == kind))
        }
        #expect(found(kind)?.subject.description == "\(kind):Ab-1")
        let other = try key("ab-1")
        #expect(state.verdict(session: other, token: other, client: other, now: Self.now) == nil)
    }
}
