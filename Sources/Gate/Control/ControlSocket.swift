// ControlSocket.swift: the admin socket: who may speak on it, one line in, one line out.

internal import CSystem
internal import Glibc
internal import Reactor

/// The listening end of the admin socket; removed from the file system when it goes.
final class ControlSocket {
    let descriptor: Int32
    private let path: String

    /// Binds `path`, mode 0600.
    ///
    /// A socket left behind by a gate that was killed is replaced; one that answers is another
    /// gate's, and is left alone.
    init(path: String) throws(ControlSocketError) {
        self.path = path
        guard var address = unixAddress(path) else { throw .pathTooLong(path) }
        if Self.answers(&address) { throw .inUse(path) }
        var status = stat()
        // Safe because the structure is a local. A mistyped path must not cost anybody a file.
        if unsafe lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
            _ = unsafe unlink(path)
        }
        let descriptor = Glibc.socket(
            AF_UNIX,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(path, errno) }
        let mask = umask(0o177)
        let bound = unsafe withSocketAddress(&address) { unsafe bind(descriptor, $0, $1) }
        let code = errno
        umask(mask)
        guard bound == 0, listen(descriptor, 16) == 0 else {
            close(descriptor)
            throw .system(path, bound == 0 ? errno : code)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        _ = unsafe unlink(path)
    }

    private static func answers(_ address: inout sockaddr_un) -> Bool {
        let probe = Glibc.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        return unsafe withSocketAddress(&address) { unsafe connect(probe, $0, $1) } == 0
    }
}

/// Why the admin socket cannot be opened.
enum ControlSocketError: Error {
    case pathTooLong(String)
    case inUse(String)
    case notASocket(String)
    case system(String, Int32)

    var message: String {
        switch self {
        case .pathTooLong(let path): "\(path): path of the admin socket is longer than 107 bytes"
        case .notASocket(let path):
            "\(path): is there already and is not a socket (hint: see `control` in the configuration)"
        case .inUse(let path): "\(path): another gate answers on this admin socket"
        case .system(let path, let code):
            // Safe because strerror's text is copied at once.
            unsafe "\(path): admin socket cannot be opened: \(String(cString: strerror(code)))"
        }
    }
}

/// An administrator's connection: reads one line, then waits for the answer to be written.
final class ControlConnection {
    let descriptor: Int32
    let peer: herse_peer
    let token: UInt64
    private var input: [UInt8] = []
    private(set) var output: [UInt8] = []
    var isAnswering = false
    /// Whether epoll watches it: not once its peer has hung up.
    var isWatched = true
    private(set) var deadline: UInt64
    private var written = 0
    private var searched = 0

    /// Bytes of one request: a list of some tens of thousands of subjects.
    static let requestMax = 16 * 1024 * 1024

    init(descriptor: Int32, peer: herse_peer, token: UInt64, deadline: UInt64) {
        self.descriptor = descriptor
        self.peer = peer
        self.token = token
        self.deadline = deadline
    }

    deinit { close(descriptor) }

    enum Reading {
        case more
        case line([UInt8])
        case ended
    }

    func readSome() -> Reading {
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        // Safe because read writes at most the block.
        let count = unsafe read(descriptor, &block, block.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .more : .ended }
        if count == 0 { return .ended }
        input += block[..<count]
        if let end = input[searched...].firstIndex(of: 0x0A) { return .line(Array(input[..<end])) }
        searched = input.count
        return input.count > Self.requestMax ? .ended : .more
    }

    /// Whether its order is being carried out: nothing is expected of the peer then.
    var isBeingAnswered: Bool { isAnswering && output.isEmpty }

    func answer(_ bytes: [UInt8], deadline: UInt64) {
        output = bytes + [0x0A]
        self.deadline = deadline
    }

    /// Writes what it can; true when all is written or the peer is gone.
    func writeSome() -> Bool {
        while written < output.count {
            let count = unsafe output.withUnsafeBytes { bytes in
                // Safe because written < bytes.count, and send reads at most the rest.
                unsafe send(
                    descriptor, bytes.baseAddress.map { unsafe $0 + written },
                    bytes.count - written, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { return errno != EAGAIN && errno != EINTR }
            written += count
        }
        return true
    }
}

/// The address of a Unix socket; nil when the path is too long for the kernel.
func unixAddress(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    // Safe because the path is shorter than the field, which is zeroed.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
        for (index, byte) in bytes.enumerated() { unsafe field[index] = byte }
    }
    return address
}

func withSocketAddress<Result>(
    _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    unsafe withUnsafePointer(to: &address) { pointer in
        // Safe because a sockaddr_un begins as every socket address does.
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
