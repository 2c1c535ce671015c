// DossierSink.swift: where the files of a dossier go while they are made.

/// Takes the files of a dossier, a piece at a time.
package protocol DossierSink: AnyObject {
    /// Adds to the file at `path`, relative to the dossier, which begins empty.
    func append(_ path: String, _ text: String)

    /// Whether nothing more can be written.
    var hasFailed: Bool { get }
}
