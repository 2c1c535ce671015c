// PatientArguments.swift: how an operator may name a patient.

import Testing

@testable import herse

@Suite struct `A patient` {
    @Test(arguments: [
        ("1.2.3|A7", PatientArgument.identifier(system: "1.2.3", value: "A7")),
        ("|A7", .identifier(system: "", value: "A7")),
        ("180067504230160", .ins("180067504230160")),
        ("1 80 06 75 042 301 60", .ins("180067504230160")),
        ("180062a042301", .ins("180062A042301")),
        ("Patient/zq-1", .local(type: "Patient", id: "zq-1")),
        ("patient:00000000000000ff", .hash(255)),
    ])
    func `is named`(text: String, patient: PatientArgument) {
        #expect(PatientArgument(text) == patient)
    }

    @Test(arguments: [
        "", "Durand", "18006750423016", "1.2.3|", "1.2.3| ", "Patient/", "/1", "Patient/1/2",
        "patient:ff", "patient:00000000000000fg",
    ])
    func `is not named`(text: String) {
        #expect(PatientArgument(text) == nil)
    }
}
