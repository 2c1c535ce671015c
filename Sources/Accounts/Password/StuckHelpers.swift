// StuckHelpers.swift: helpers that were killed and have not died yet.

internal import Glibc
internal import Synchronization

/// Processes stuck in the kernel, on a file server that does not answer, say.
let unreaped = Mutex<[pid_t]>([])

/// Takes note of those that have died meanwhile, and counts the others.
func reapStuck() -> Int {
    unreaped.withLock { processes in
        processes.removeAll { process in waitpid(process, nil, WNOHANG) != 0 }
        return processes.count
    }
}
