@main struct Herse { static func main() {} }
