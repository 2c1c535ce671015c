// Fuzz.swift: `Fuzz TARGET [FILE|FOLDER…]` gives inputs to a parser.
//
// Built as usual it replays files; built by script/fuzz, libFuzzer makes inputs of its own.

import CFuzz

/// A parser under attack: `run` traps when a promise of the parser is broken.
struct FuzzTarget: Sendable {
    let name: String
    let run: @Sendable (Span<UInt8>) -> Void

    /// Every target.
    ///
    /// To add one: a file that extends this type, a line here, a folder in Corpus.
    static let all: [FuzzTarget] = [
        .httpRequestHead,
        .httpResponseHead,
        .chunked,
        .neutralizationList,
        .neutralizationJournal,
        .configuration,
        .policyTest,
        .certificateSubject,
        .fhirQuery,
        .fhirQuestion,
        .jsonAnswer,
        .xmlAnswer,
        .soapRequest,
        .extractor,
        .jsonValue,
        .token,
        .webAuthn,
        .account,
        .passwordMessage,
        .signals,
        .signedList,
        .feedCursor,
        .recordLine,
        .indexPage,
        .indexLayout,
        .segmentHead,
        .checkpointLine,
        .signedNote,
        .verifierKey,
        .entryProof,
        .tombstone,
        .witnessAnswer,
        .witnessFile,
        .witnessMemory,
        .auditorKey,
        .sealedEntry,
        .segmentKey,
        .pendingReads,
        .canary,
    ]
}

@main struct Fuzz {
    private static let target = FuzzTarget.all.first {
        $0.name == CommandLine.arguments.dropFirst().first
    }

    static func main() {
        guard target != nil else {
            for target in FuzzTarget.all { print(target.name) }
            exit(CommandLine.argc == 1 ? 0 : 64)
        }
        // The driver is not told the name of the target.
        var count = CommandLine.argc - 1
        // Safe because the arguments live as long as the program, and there are at least two.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
            unsafe CommandLine.unsafeArgv + 1
        unsafe arguments?[0] = CommandLine.unsafeArgv[0]
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // Safe because the driver keeps the bytes for the time of the call.
            let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
            unsafe Fuzz.target?.run(bytes.span)
            return 0
        }
        exit(status)
    }
}
