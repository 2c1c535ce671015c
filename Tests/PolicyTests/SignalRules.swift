// SignalRules.swift: the rules of streams of security events, and each mistake in them.

import Signals
import Testing

@testable import Policy

@Suite struct `Rules of signals` {
    @Test(arguments: cases(mistakes))
    func `are refused where they are wrong`(mistake: Case) {
        #expect(diagnostics(mistake.new + "\n" + sample) == [mistake.line])
    }

    @Test func `say what is done, or leave it as it is`() throws {
        let receiver =
            "{name: a, issuer: b, audience: c, keys: k, actions: {session-revoked: alert}, "
            + "push: {path: /.herse/signals/a, bearer_token_file: t}}"
        let configuration = try configuration("signals: {receivers: [\(receiver)]}\n" + sample)
        let rule = try #require(configuration.signals?.receivers.first)
        #expect(rule.action(on: .sessionRevoked) == .alert)
        #expect(rule.action(on: .accountDisabled) == .neutralize)
        #expect(rule.action(on: .accountEnabled) == .reinstate)
        #expect(rule.professional == .sub)
        #expect(rule.verification == nil && rule.poll == nil)
        for event in SignalEvent.allCases where event != .accountEnabled {
            #expect(event.standardAction != .reinstate)
        }
    }
}

/// Lines put before the sample (`+`), and what is said of them (`=`).
private let mistakes = #"""
    + signals: {recievers: []}
    = h:1:11: error: unknown key `recievers` in `signals` (did you mean `receivers`?)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k}]}
    = h:1:23: error: a receiver needs `push` or `poll`

    + signals: {receivers: [{name: a, issuer: b, audience: c, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:23: error: a receiver needs `keys` (no issuer of tokens has this `issuer`, whose keys would do)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, push: {path: /a, bearer_token_file: t}}]}
    = h:1:79: error: `path`: `/a` is not below `/.herse/signals/` (such as `/.herse/signals/idp`)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, push: {path: /.herse/signals/a, bearer_token_file: t, listeners: [x]}}]}
    = h:1:132: error: `listeners`: unknown listener `x` (known: professionals)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, poll: {url: http://x.fr/, bearer_token_file: t}}]}
    = h:1:78: error: `url`: `http://x.fr/` would be asked in clear text (use https and `authorities`)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, poll: {url: https://x.fr/, bearer_token_file: t}}]}
    = h:1:23: error: an https address needs `authorities` (who signs its certificate; the system's store is never used)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, stream_id: s, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:66: error: `stream_id` needs `verification_url`

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, stream_id: s, verification_url: http://127.0.0.1:1/, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:80: error: `verification_url` needs `verification_token_file` (what the gate shows there)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, actions: {acount-disabled: alert}, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:76: error: unknown key `acount-disabled` in `actions` (did you mean `account-disabled`?)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, actions: {account-disabled: neutralise}, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:94: error: `account-disabled`: unknown value `neutralise` (did you mean `neutralize`?)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, actions: {account-disabled: reinstate}, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:94: error: `account-disabled`: nobody is reinstated by this event (`account-enabled` alone does)

    + signals: {receivers: [{name: a, issuer: b, audience: c, keys: k, actions: {account-enabled: neutralize}, push: {path: /.herse/signals/a, bearer_token_file: t}}]}
    = h:1:93: error: `account-enabled`: nobody is cut off by this event (`reinstate`, `alert` or `ignore`)

    + signals: {transmitter: {issuer: a}}
    = h:1:24: error: `transmitter` needs `receivers`

    + signals: {transmitter: {issuer: a, receivers: []}}
    = h:1:36: error: `receivers` is empty

    + signals: {transmitter: {issuer: a, receivers: [{name: b, url: http://127.0.0.1:1/, audience: c}]}}
    = h:1:48: error: a receiver of the transmitter needs `bearer_token_file`
    """#
