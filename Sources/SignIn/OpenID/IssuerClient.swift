// IssuerClient.swift: an identity provider behind the network, by the issuer that knows it.

package import Issuers
package import JSON
package import Tokens

/// What the desk asks, put to an issuer.
package struct IssuerClient: ProviderClient {
    private let issuer: Issuer
    /// Keys that stand in a file, believed instead of fetched ones.
    private let fixed: KeySet?
    private let tell: @Sendable (String) -> Void

    /// - Parameters:
    ///   - issuer: Who is asked.
    ///   - fixed: Keys of a file; nil when they are fetched.
    ///   - tell: Told what went wrong, for operators.
    package init(
        _ issuer: Issuer, fixed: KeySet?, tell: @escaping @Sendable (String) -> Void
    ) {
        self.issuer = issuer
        self.fixed = fixed
        self.tell = tell
    }

    private func problem(_ error: IssuerError) -> ProviderProblem {
        tell(error.description)
        return error.isPassing ? .unavailable : .refused
    }

    package func endpoints(now: Int64) -> ProviderEndpoints? {
        guard let metadata = issuer.metadata(now: now),
            let authorization = metadata.authorization, metadata.token != nil
        else { return nil }
        return ProviderEndpoints(
            authorization: authorization, userInfo: metadata.userInfo != nil,
            endSession: metadata.endSession, namesItself: metadata.namesItself)
    }

    package func keys(now: Int64) -> KeySet? { fixed ?? issuer.keys(now: now) }

    package func refresh(now: Int64) { issuer.refresh(now: now) }

    package func exchange(
        code: String, verifier: String, redirect: String, now: Int64
    ) throws(ProviderProblem) -> ProviderTokens {
        do throws(IssuerError) {
            let tokens = try issuer.exchange(
                code: code, verifier: verifier, redirect: redirect, now: now)
            return ProviderTokens(idToken: tokens.idToken, accessToken: tokens.accessToken)
        } catch {
            throw problem(error)
        }
    }

    package func userInfo(accessToken: [UInt8], now: Int64) throws(ProviderProblem) -> JSONValue {
        do throws(IssuerError) {
            return try issuer.userInfo(accessToken: accessToken, now: now)
        } catch {
            throw problem(error)
        }
    }
}
