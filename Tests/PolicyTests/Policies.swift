// Policies.swift: the policies this repository ships hold what they say.

import Testing

@testable import Policy

/// The repository, from this file's own path.
private let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

@Suite struct `A shipped policy` {
    @Test(arguments: ["default", "reference", "demo"])
    func `loads without a word, from the file and from the folder`(name: String) {
        let folder = "/\(repository)/policies/\(name)"
        for path in [folder + "/herse.yaml", folder] {
            let loaded = ConfigurationLoader(filesMustExist: false).load(path: path)
            #expect(loaded.diagnostics.map(\.description) == [])
            #expect(loaded.configuration != nil)
        }
    }

    @Test(arguments: ["default", "reference", "demo"])
    func `passes the tests beside it`(name: String) throws {
        let path = "/\(repository)/policies/\(name)/herse.yaml"
        let configuration = try #require(
            ConfigurationLoader(filesMustExist: false).load(path: path).configuration)
        let files = policyTestFiles(beside: path)
        #expect(files.count == 1)
        let run = runPolicyTests(configuration, files: files)
        #expect(run.diagnostics.map(\.description) == [])
        for result in run.results where !result.passed {
            Issue.record("\(result.place): \(result.name): \(result.expected), got \(result.got)")
        }
        #expect(!run.results.isEmpty && run.passed)
    }

    @Test func `is told to lack its certificates when they must be there`() {
        let path = "/\(repository)/policies/demo/herse.yaml"
        let loaded = ConfigurationLoader().load(path: path)
        #expect(loaded.configuration == nil)
        let first = loaded.diagnostics.first?.description ?? ""
        #expect(first.hasPrefix("\(path):10:20: error: `certificate`: `"))
        #expect(first.hasSuffix("policies/demo/server.pem` cannot be read: no such file"))
    }
}
