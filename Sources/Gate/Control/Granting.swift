// Granting.swift: x
internal import Limits
extension ControlPlane {
    func grant(_ order: GrantOrder, by: String) async -> ControlAnswer { .refused(["x"]) }
    var grants: Grants { Grants() }
}
