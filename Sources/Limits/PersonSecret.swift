// PersonSecret.swift: the secret that patients' keys are made with, read beside a gate that runs.

import Glibc
package import KeyedHash

/// The secret in a state folder's file of persons, read without its lock: it never changes while
/// the file lives.
package func personKey(ofStateFolder folder: String) throws(LimitTableError) -> SipKey {
    let path = folder + "/" + PersonsMapping.name
    let file = try openTableFile(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, shown: path)
    let (words, _) = try readStateFile(file.number, path, words: PersonsHeader.checkedWords + 2)
    return try PersonsHeader(words, path: path).key
}
