// PersonsFile.swift: the file of persons as another program may read it while a gate has it open:
// the secret of its keyed hashes, and which of them name the same person.

internal import CSystem
internal import Glibc
package import KeyedHash

/// The file of persons, open for reading.
package struct PersonsFile: ~Copyable {
    private let file: TableDescriptor
    private let path: String
    private let header: PersonsHeader

    /// Takes no lock and makes nothing: the gate goes on meanwhile.
    package init(stateFolder: String) throws(LimitTableError) {
        let path = stateFolder + "/" + PersonsMapping.name
        let file = try openTableFile(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, shown: path)
        let (words, _) = try readStateFile(
            file.number, path, words: PersonsHeader.checkedWords + 2)
        header = try PersonsHeader(words, path: path)
        self.path = path
        self.file = file
    }

    /// The secret that persons' keys are made with.
    package var key: SipKey { header.key }

    /// `keys`, and every other that is known to name one of the same persons.
    ///
    /// What a gate links meanwhile may be there or not.
    package func namesakes(of keys: Set<UInt64>) throws(LimitTableError) -> Set<UInt64> {
        var all = keys
        // Each pass follows every chain by a link at least.
        for _ in 0..<PersonLinks.hopsMax {
            let before = all.count
            try forEachLink { weaker, best in
                if all.contains(best) {
                    all.insert(weaker)
                } else if all.contains(weaker) {
                    all.insert(best)
                }
            }
            if all.count == before { break }
        }
        return all
    }

    /// Of each key the others that are linked with it, for who looks up many.
    package func links() throws(LimitTableError) -> [UInt64: [UInt64]] {
        var links: [UInt64: [UInt64]] = [:]
        try forEachLink { weaker, best in
            links[weaker, default: []].append(best)
            links[best, default: []].append(weaker)
        }
        return links
    }

    private func forEachLink(_ take: (UInt64, UInt64) -> Void) throws(LimitTableError) {
        let atOnce = 1 << 15
        var words = [UInt64](repeating: 0, count: 2 * atOnce)
        var link = 0
        while link < header.links {
            let count = min(atOnce, header.links - link)
            let offset = header.linksOffset + link * PersonsHeader.linkSize
            let got = unsafe words.withUnsafeMutableBytes { bytes in
                // Safe because `count` links have the room of `atOnce` at most.
                unsafe pread(
                    file.number, bytes.baseAddress, count * PersonsHeader.linkSize, off_t(offset))
            }
            guard got == count * PersonsHeader.linkSize else {
                throw .system(call: "read", path: path, errno: errno)
            }
            for index in 0..<count {
                // A pair that is torn names nobody's key.
                if let pair = PersonLinks.pair(words[2 * index], words[2 * index + 1]) {
                    take(pair.weaker, pair.best)
                }
            }
            link += count
        }
    }
}
