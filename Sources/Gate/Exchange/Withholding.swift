// Withholding.swift: where identities are looked up, a request waits until it is understood and its
// answer until its disclosures are settled.

internal import Limits
internal import Lookup
internal import Wire

extension Exchange {
    // MARK: What is asked

    /// Understands what a head asks, or holds the body that will tell.
    func inquire(
        _ applicant: consuming Applicant, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        of client: ClientConnection
    ) throws(Refusal) {
        let index = applicant.route
        let inquiry = worker.takeInquiry()
        self.inquiry = inquiry
        inquiry.begin(head, bytes, on: generation.routes[index])
        do throws(QuestionError) {
            try inquiry.understandHead()
        } catch {
            throw .questionNotUnderstood(route: index, error)
        }
        if inquiry.awaited != nil {
            if case .length(let count) = head.framing, count > Inquiry.requestMax {
                throw .bodyTooLarge
            }
            awaitsBody = true
            self.applicant = .some(consume applicant)
            write(head, bytes, of: client)
        } else {
            let permit = try worker.admit(applicant, asking: inquiry, of: client)
            isCharged()
            write(head, bytes, of: client)
            forward(permit)
        }
    }

    /// The body that tells what is asked is here, whole.
    func questionIsWhole() {
        guard stage == .forwarding, refusal == nil, let inquiry, let client else { return }
        guard let applicant = applicant.take() else { return }
        let index = applicant.route
        do throws(Refusal) {
            if let overflow = inquiry.overflow { throw overflow }
            do throws(QuestionError) {
                try inquiry.understandBody()
            } catch {
                throw .questionNotUnderstood(route: index, error)
            }
            let permit = try worker.admit(applicant, asking: inquiry, of: client)
            isCharged()
            awaitsBody = false
            inquiry.withRequestBody { writeHeldBody($0) }
            forward(permit)
        } catch {
            refuse(error)
            return
        }
        pool?.serve(self)
    }

    // MARK: Whom the answer discloses

    /// Inspects what there is of the answer; true when all of it is settled and may be recorded.
    func withheldEnough(_ inquiry: Inquiry) -> Bool {
        if let overflow = inquiry.overflow {
            refuse(overflow)
            return false
        }
        guard answerIsWhole else {
            inquiry.inspectSome()
            return false
        }
        inquiry.inspectAll()
        if let overflow = inquiry.overflow {
            refuse(overflow)
            return false
        }
        do throws(Refusal) {
            try worker.settle(inquiry, of: self)
        } catch {
            refuse(error)
            return false
        }
        if !inquiry.answerHasNoBody {
            inquiry.withAnswer { body in
                answerCount = UInt64(body.count)
                client?.stageHeld(body)
            }
        }
        return true
    }

    func dropInquiry() {
        guard let inquiry else { return }
        self.inquiry = nil
        _ = applicant.take()
        inquiry.end()
        worker.giveBack(inquiry)
    }
}
