// OwnReplies.swift: which of the gate's own pages answers.

internal import Policy
internal import SignIn
internal import Tokens

extension Generation {
    /// Whether anything stands under `/.herse/` for those who come through a listener.
    func hasOwnPages(on listener: Int) -> Bool {
        ways.assertion != nil || ways.signals.hasPages(on: listener) || signsIn(on: listener)
    }

    /// Whether people may sign in with a browser who come through a listener.
    func signsIn(on listener: Int) -> Bool {
        configuration.authentication.signIn?.listeners.contains(index: listener) ?? false
    }

    /// The answer to a request for one of the gate's own pages; blocks.
    func ownReply(to request: OwnRequest) -> OwnReply {
        if request.path == "/.herse/keys", let keys = ways.assertion ?? ways.signals.ownKeys {
            guard request.method != .post else {
                return OwnReply(status: 405, fields: [("Allow", "GET, HEAD")])
            }
            // Shorter than a key is published before it signs.
            let fields = [
                ("Content-Type", "application/jwk-set+json"), ("Cache-Control", "max-age=300"),
            ]
            return OwnReply(status: 200, fields: fields, body: keys.published)
        }
        guard signsIn(on: request.listener), let desk = ways.signIn else {
            return OwnReply(status: 404, fields: [("Cache-Control", "no-store")])
        }
        return desk.answer(request)
    }
}
