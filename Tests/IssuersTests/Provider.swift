// Provider.swift: an issuer of the tests' own, whose answers change while it runs.

import StubServers
import Synchronization

@testable import Issuers

/// Answers by path; what has none is 404.
final class StubProvider: Sendable {
    let server: StubServer
    private let box: Box

    private final class Box: Sendable {
        let replies = Mutex<[String: StubReply]>([:])
    }

    /// One that publishes metadata and the keys of these ids.
    init(keys: [String] = ["k1"]) throws {
        let box = Box()
        self.box = box
        server = try StubServer { request in
            let path = String(request.target.prefix { $0 != "?" })
            return box.replies.withLock { $0[path] } ?? .answer(404, [])
        }
        publish(metadata())
        publish(keys: keys)
    }

    var url: String { server.url("") }
    var discovery: String { server.url("/.well-known/openid-configuration") }

    subscript(path: String) -> StubReply? {
        get { box.replies.withLock { $0[path] } }
        set { box.replies.withLock { $0[path] = newValue } }
    }

    func metadata(issuer: String? = nil, more: String = "") -> String {
        """
        {"issuer": "\(issuer ?? url)", "jwks_uri": "\(url)/keys",
         "authorization_endpoint": "\(url)/authorize", "token_endpoint": "\(url)/token",
         "userinfo_endpoint": "\(url)/userinfo", "end_session_endpoint": "\(url)/logout",
         "introspection_endpoint": "\(url)/introspect"\(more)}
        """
    }

    func publish(_ metadata: String) {
        self["/.well-known/openid-configuration"] = .json(metadata)
    }

    func publish(keys: [String]) { self["/keys"] = .json(keySet(keys)) }

    /// As when it is down, or somebody digs through its cable.
    func fail() {
        for path in ["/.well-known/openid-configuration", "/keys", "/introspect", "/token"] {
            self[path] = .answer(503, [])
        }
    }

    func settings() -> IssuerSettings {
        var settings = IssuerSettings(name: "psc", issuer: url)
        settings.discovery = discovery
        return settings
    }

    func asked(_ path: String) -> Int { server.requests.count { $0.target == path } }
}

/// The key of RFC 8037 appendix A.2, under other names.
func keySet(_ ids: [String]) -> String {
    let keys = ids.map {
        #"{"kty":"OKP","crv":"Ed25519","kid":"\#($0)","#
            + #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
    }
    return #"{"keys":[\#(keys.joined(separator: ","))]}"#
}
