// PersonsMapping.swift: the file of persons on disk, mapped as far as it may ever grow.
//
// Only what has its blocks on disk is touched: growing allocates first and says so in the header
// afterwards, so that neither a full disk nor a kill can leave a slab without its blocks.

import Glibc
import KeyedHash
import Synchronization

/// The mapped file; its memory is used only through `PersonBlock`, and words of index and links.
///
/// Safe because every address given out lies within what was mapped, which stays so as long as
/// this value lives, and in slabs only below what was allocated.
@safe struct PersonsMapping: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let length: Int
    private let file: TableDescriptor
    private let path: String
    let header: PersonsHeader
    /// Slabs there may ever be.
    let slabsMax: Int

    deinit { unsafe munmap(base, length) }

    static let name = "persons.table"
    static let slabSize = 1 << 18
    /// 4 MiB.
    static let slabsAtFirst = 16
    /// 64 MiB.
    static let slabsPerStepMax = 256

    /// Maps the file of a state folder whose lock the caller holds; made if there is none.
    ///
    /// `bytesMax` bounds the file; one that is larger already is used as it is.
    init(stateFolder: String, slots: Int, bytesMax: Int) throws(LimitTableError) {
        let folder = try openTableFile(
            AT_FDCWD, stateFolder, O_RDONLY | O_DIRECTORY, shown: stateFolder)
        let path = stateFolder + "/" + Self.name
        let file = try openStateFile(folder.number, Self.name, path) {
            () throws(LimitTableError) in
            var rounded = TableHeader.slotsMin
            while rounded < slots { rounded *= 2 }
            var random = SystemRandomNumberGenerator()
            let header = PersonsHeader(
                slots: rounded, key: SipKey(low: random.next(), high: random.next()))
            return NewStateFile(
                length: header.slabsOffset + Self.slabsAtFirst * Self.slabSize,
                words: header.words(slabs: Self.slabsAtFirst))
        }
        let (words, size) = try readStateFile(
            file.number, path, words: PersonsHeader.checkedWords + 2)
        let header = try PersonsHeader(words, path: path)
        let room = (size - header.slabsOffset) / Self.slabSize
        guard size > header.slabsOffset, let slabs = Int(exactly: words[7]), slabs <= room else {
            let said = Int(clamping: words[7])
            throw .wrongLength(
                path: path,
                expected: header.slabsOffset + min(said, 1 << 24) * Self.slabSize, found: size)
        }
        let most = max(slabs, (bytesMax - header.slabsOffset) / Self.slabSize)
        let length = header.slabsOffset + most * Self.slabSize
        // Safe because the kernel chooses the place, and nothing else maps this file here.
        let mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
        guard let base = unsafe mapped, unsafe base != MAP_FAILED else {
            throw .system(call: "mmap", path: path, errno: errno)
        }
        unsafe self.base = base
        self.length = length
        self.slabsMax = most
        self.file = file
        self.path = path
        self.header = header
    }

    @inline(__always)
    private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Safe because an Atomic has the size and alignment of what it holds, and callers give
        // offsets within the part they have checked.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Slabs that have their blocks on disk.
    var slabs: Int { Int(clamping: unsafe word(56).pointee.load(ordering: .acquiring)) }

    /// Allocates slabs up to `count`; false when the disk is full.
    func grow(to count: Int) -> Bool {
        precondition(count <= slabsMax, "the file grows within its mapping")
        let start = header.slabsOffset
        let range = start + min(slabs, count) * Self.slabSize..<start + count * Self.slabSize
        do throws(LimitTableError) { try allocate(file.number, path, range) } catch {
            return false
        }
        // Safe because this is a word of the header.
        unsafe word(56).pointee.store(UInt64(count), ordering: .releasing)
        return true
    }

    /// One of the two words of an entry of the index.
    @inline(__always)
    func index(_ entry: Int, _ second: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        precondition(entry >= 0 && entry < header.entries, "an entry lies within the index")
        return unsafe word(header.indexOffset + entry * PersonsHeader.entrySize + second * 8)
    }

    /// One of the two words of a link.
    @inline(__always)
    func link(_ link: Int, _ second: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        precondition(link >= 0 && link < header.links, "a link lies within their table")
        return unsafe word(header.linksOffset + link * PersonsHeader.linkSize + second * 8)
    }

    /// The block that a reference names.
    @inline(__always)
    func block(_ reference: BlockReference) -> PersonBlock {
        let offset = reference.offset
        let bytes = reference.sizeClass.bytes
        precondition(
            offset >= 0 && offset + bytes <= slabsMax * Self.slabSize, "a block lies in a slab")
        // Safe because of the line above; references are only made of slabs that were allocated.
        return unsafe PersonBlock(
            base + header.slabsOffset + offset, cells: reference.sizeClass.cells)
    }

    /// The first word of a block that is free, where the pool keeps its list.
    func freeWord(_ reference: BlockReference) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let offset = reference.offset
        precondition(offset >= 0 && offset + 8 <= slabsMax * Self.slabSize, "in a slab")
        return unsafe word(header.slabsOffset + offset)
    }

    /// Asks the kernel to write the file out.
    func flush() {
        let used = header.slabsOffset + min(slabs, slabsMax) * Self.slabSize
        // Safe because the range lies within the mapping.
        _ = unsafe msync(base, used, MS_ASYNC)
    }
}

// Safe because the memory is only used through atomics and, for sets, under the stripe's lock.
extension PersonsMapping: @unchecked Sendable {}
