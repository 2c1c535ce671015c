// FixedTable.swift: a table of fixed size that is never copied.

/// Elements that stay where they are, so that reading one reads nothing else.
// Safe because every access compares its index with the count, and nothing keeps the pointer.
@safe struct FixedTable<Element: BitwiseCopyable>: ~Copyable {
    private let elements: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating element: Element, count: Int) {
        // Safe because all elements are written before any is read, and freed with the table.
        unsafe elements = .allocate(capacity: count)
        unsafe elements.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit {
        // Safe because nothing else points there.
        unsafe elements.deallocate()
    }

    subscript(index: Int) -> Element {
        // Safe because the index is below the count.
        @inline(__always) _read {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "within the table")
            yield unsafe elements[index]
        }
        @inline(__always) _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "within the table")
            yield unsafe &elements[index]
        }
    }
}
