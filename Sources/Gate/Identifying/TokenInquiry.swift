// TokenInquiry.swift: a token that cannot be judged here and now: its issuer's keys are fetched
// anew, or the issuer itself is asked, off the worker.

internal import Issuers
internal import JSON
internal import Policy
internal import Tokens

/// What an errand is to find out about one token.
struct TokenInquiry: Sendable {
    /// An issuer that may know the token.
    struct Candidate: Sendable {
        let index: Int
        let desk: IssuerDesk
        let rules: TokenRules
        let introspection: IssuerRule.Introspection
        /// Seconds for which the issuer's word is believed.
        let cache: Int64
    }

    /// A token found good, by which issuer, and until when that is believed, in seconds since 1970.
    struct Found: Sendable {
        let index: Int
        let token: VerifiedToken
        let until: Int64
    }

    let token: [UInt8]
    let candidates: [Candidate]
    let isOpaque: Bool
    let now: Int64

    /// Asks one after the other; blocks.
    ///
    /// A token nobody knows is refused; one that somebody who could not be asked may know is not
    /// known to be bad.
    func find() -> ErrandResult {
        var isUnsure = false
        var refusal = TokenRefusal.inactive
        for candidate in candidates {
            do throws(InquiryError) {
                return .token(.success(try find(candidate)))
            } catch {
                switch error {
                case .unavailable: isUnsure = true
                case .refused(let why): refusal = why
                }
            }
        }
        return isUnsure ? .unavailable : .token(.failure(refusal))
    }

    private enum InquiryError: Error {
        case unavailable
        case refused(TokenRefusal)
    }

    private func find(_ candidate: Candidate) throws(InquiryError) -> Found {
        guard !isOpaque else {
            let token = try asked(candidate)
            return Found(index: candidate.index, token: token, until: now + candidate.cache)
        }
        let token = try verified(candidate)
        guard candidate.introspection == .always else {
            return Found(index: candidate.index, token: token, until: .max)
        }
        // Verified first, so that forged ones make no traffic.
        _ = try asked(candidate)
        return Found(index: candidate.index, token: token, until: now + candidate.cache)
    }

    private func verified(_ candidate: Candidate) throws(InquiryError) -> VerifiedToken {
        do throws(TokenRefusal) {
            if let keys = candidate.desk.keys(now: now) {
                return try verifyAccessToken(
                    token.span, keys: keys, rules: candidate.rules, now: now)
            }
        } catch {
            guard error == .unknownKey else { throw .refused(error) }
        }
        candidate.desk.issuer?.refresh(now: now)
        guard let keys = candidate.desk.keys(now: now) else { throw .unavailable }
        do throws(TokenRefusal) {
            return try verifyAccessToken(token.span, keys: keys, rules: candidate.rules, now: now)
        } catch {
            throw .refused(error)
        }
    }

    private func asked(_ candidate: Candidate) throws(InquiryError) -> VerifiedToken {
        guard let issuer = candidate.desk.issuer else { throw .unavailable }
        if issuer.metadata(now: now) == nil { issuer.refresh(now: now) }
        let answer: JSONValue
        do throws(IssuerError) {
            answer = try issuer.introspect(token, now: now)
        } catch {
            throw .unavailable
        }
        do throws(TokenRefusal) {
            return try judgeIntrospection(answer, rules: candidate.rules, now: now)
        } catch {
            throw .refused(error)
        }
    }
}
