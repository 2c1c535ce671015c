// Removing.swift: folders that go for good.

import Foundation

/// Removes a folder in which somebody who does not know yet may still be making files.
func remove(folder: String) {
    for _ in 0..<100 {
        try? FileManager.default.removeItem(atPath: folder)
        if !FileManager.default.fileExists(atPath: folder) { return }
        usleep(10_000)
    }
}
