// GateOptions.swift: which configuration, which gate, and in what form to answer.

import ArgumentParser
import Foundation
import Gate
import Policy

struct ConfigurationOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("Configuration: a file, or a folder of *.yaml.", valueName: "path"),
        completion: .file(extensions: ["yaml"]))
    var path = ConfigurationOption.standard

    /// Where a configuration is that nobody names.
    static let standard = "/etc/herse"
}

struct OutputOption: ParsableArguments {
    @Flag(help: "Print JSON for machines.")
    var json = false
}

/// How the running gate is found.
struct GateOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Admin socket of the gate, when no configuration names it.", valueName: "path"),
        completion: .file())
    var control: String?

    /// The admin socket.
    var socket: String { control ?? controlSocket(of: configuration.path) }

    /// Asks the gate; `absent` is how the command ends when there is none.
    func ask(
        _ request: ControlRequest, absent: Outcome = .refused
    ) throws(Failure) -> ControlAnswer {
        let answer: ControlAnswer
        do {
            answer = try ControlClient.ask(request, socket: socket)
        } catch {
            throw Failure(
                error.message, hint: error.hint,
                outcome: error.isUnreached ? absent : .refused)
        }
        if case .refused(let problems) = answer { throw Failure(lines: problems) }
        if case .waiting(let order) = answer { throw Failure(waiting: order) }
        return answer
    }
}

extension Failure {
    /// The gate answered something else than was asked.
    static let wrongAnswer = Failure(
        "the gate's answer does not fit the question",
        hint: "the gate may be of another version: compare `herse status`")
}

/// The admin socket a configuration names.
///
/// A configuration that is being edited, or has become invalid, must not keep anybody from
/// reaching the gate that runs: its two keys are then looked for line by line.
func controlSocket(of path: String) -> String {
    let loaded = ConfigurationLoader(filesMustExist: false).load(path: path)
    if let configuration = loaded.configuration { return configuration.control }
    return looked(for: "control", in: path)
        ?? joined(stateFolder(ofInvalid: path), "control.sock", isFolder: true)
}

/// The state folder a configuration names, valid or not.
func stateFolder(of path: String) -> String {
    let loaded = ConfigurationLoader(filesMustExist: false).load(path: path)
    return loaded.configuration?.state ?? stateFolder(ofInvalid: path)
}

private func stateFolder(ofInvalid path: String) -> String {
    if let state = looked(for: "state", in: path) { return state }
    let isFolder = configurationFiles(path) != [path]
    let folder = isFolder ? (path.hasSuffix("/") ? path : path + "/") : folder(of: path)
    return joined(folder, "state")
}

/// The path after `key:` at the start of a line of the first file that has one.
private func looked(for key: String, in path: String) -> String? {
    for file in configurationFiles(path) {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { continue }
        if let value = topLevelValue(key, in: text) { return joined(folder(of: file), value) }
    }
    return nil
}

private func configurationFiles(_ path: String) -> [String] {
    var isFolder: ObjCBool = false
    // Safe because the answer is written to a local.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
        isFolder.boolValue
    else { return [path] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let folder = path.hasSuffix("/") ? path : path + "/"
    return names.filter { $0.hasSuffix(".yaml") && !$0.hasSuffix(".test.yaml") }.sorted()
        .map { folder + $0 }
}

/// The plain or quoted scalar after `key:` at the start of a line.
private func topLevelValue(_ key: String, in text: String) -> String? {
    for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(key + ":") {
        let rest = line.dropFirst(key.count + 1).drop { $0 == " " }
        if let quote = rest.first, quote == "\"" || quote == "'" {
            return String(rest.dropFirst().prefix { $0 != quote })
        }
        var value = String(rest)
        if let comment = value.range(of: " #") { value = String(value[..<comment.lowerBound]) }
        while value.last == " " { value.removeLast() }
        if !value.isEmpty { return value }
    }
    return nil
}

/// The folder of a file, as a prefix: empty, or ending in "/".
private func folder(of file: String) -> String {
    file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
}

private func joined(_ folder: String, _ path: String, isFolder: Bool = false) -> String {
    guard !path.hasPrefix("/") else { return path }
    var rest = Substring(path)
    while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
    return folder + (isFolder && !folder.hasSuffix("/") ? "/" : "") + rest
}
