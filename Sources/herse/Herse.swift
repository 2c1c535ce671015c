// Herse.swift: the command line.

import Gate

@main
struct Herse {
    static func main() async {
        let arguments = CommandLine.arguments
        _ = await serve(configurationPath: arguments.count > 1 ? arguments[arguments.count - 1] : "/etc/herse")
    }
}
