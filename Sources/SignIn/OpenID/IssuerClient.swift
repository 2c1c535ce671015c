// IssuerClient.swift: an identity provider behind the network, by the issuer that knows it.

package import Issuers
package import JSON
package import Tokens

/// What the desk asks, put to an issuer.
package struct IssuerClient: ProviderClient {
    private let issuer: Issuer
    /// Keys that stand in a file, believed instead of fetched ones.
    private let fixed: KeySet?

    /// - Parameters:
    ///   - issuer: Who is asked.
    ///   - fixed: Keys of a file; nil when they are fetched.
    package init(_ issuer: Issuer, fixed: KeySet?) {
        self.issuer = issuer
        self.fixed = fixed
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
            throw error.isPassing ? .unavailable : .refused
        }
    }

    package func userInfo(accessToken: [UInt8], now: Int64) throws(ProviderProblem) -> JSONValue {
        do throws(IssuerError) {
            return try issuer.userInfo(accessToken: accessToken, now: now)
        } catch {
            throw error.isPassing ? .unavailable : .refused
        }
    }
}
