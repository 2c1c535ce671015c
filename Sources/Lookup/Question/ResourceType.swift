// ResourceType.swift: the resource types of FHIR R4, by what they tell of patients.

/// What resources of a type hold, as far as patients are concerned.
enum ResourceType: Sendable {
    /// Patient.
    case patient
    /// RelatedPerson and Person: identities of a patient's family, or of the patient again.
    case relative
    /// Encounter and EpisodeOfCare: whoever knows one knows its one patient.
    case encounter
    /// Whatever else may name, contain or mean a patient.
    case record
    /// Binary: anything, and nobody can say what.
    case binary
    /// Subscription, which pushes what it selects, and the topics it selects by.
    case subscription
    /// Definitions, terminology, organizations and professionals: no patient.
    case impersonal

    /// Every type of R4, and those that R4B adds.
    static let all = WordTable<ResourceType>([
        (.patient, "Patient"),
        (.relative, "RelatedPerson Person"),
        (.encounter, "Encounter EpisodeOfCare"),
        (.binary, "Binary"),
        (.subscription, "Subscription SubscriptionTopic SubscriptionStatus"),
        (
            .record,
            """
            Account AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent
            Basic BiologicallyDerivedProduct BodyStructure Bundle CarePlan CareTeam ChargeItem
            Claim ClaimResponse ClinicalImpression Communication CommunicationRequest Composition
            Condition Consent Contract Coverage CoverageEligibilityRequest
            CoverageEligibilityResponse DetectedIssue Device DeviceMetric DeviceRequest
            DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference
            EnrollmentRequest EnrollmentResponse ExplanationOfBenefit FamilyMemberHistory Flag
            Goal Group GuidanceResponse ImagingStudy Immunization ImmunizationEvaluation
            ImmunizationRecommendation Invoice Linkage List MeasureReport Media
            MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
            MessageHeader MolecularSequence NutritionOrder Observation OperationOutcome Parameters
            PaymentNotice PaymentReconciliation Procedure Provenance QuestionnaireResponse
            RequestGroup ResearchStudy ResearchSubject RiskAssessment Schedule ServiceRequest Slot
            Specimen SupplyDelivery SupplyRequest Task TestReport VerificationResult
            VisionPrescription
            """
        ),
        (
            .impersonal,
            """
            ActivityDefinition AdministrableProductDefinition CapabilityStatement CatalogEntry
            ChargeItemDefinition Citation ClinicalUseDefinition CodeSystem CompartmentDefinition
            ConceptMap DeviceDefinition EffectEvidenceSynthesis Endpoint EventDefinition Evidence
            EvidenceReport EvidenceVariable ExampleScenario GraphDefinition HealthcareService
            ImplementationGuide Ingredient InsurancePlan Library Location
            ManufacturedItemDefinition Measure Medication MedicationKnowledge MedicinalProduct
            MedicinalProductAuthorization MedicinalProductContraindication
            MedicinalProductDefinition MedicinalProductIndication MedicinalProductIngredient
            MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
            MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition
            NamingSystem NutritionProduct ObservationDefinition OperationDefinition Organization
            OrganizationAffiliation PackagedProductDefinition PlanDefinition Practitioner
            PractitionerRole Questionnaire RegulatedAuthorization ResearchDefinition
            ResearchElementDefinition RiskEvidenceSynthesis SearchParameter SpecimenDefinition
            StructureDefinition StructureMap Substance SubstanceDefinition SubstanceNucleicAcid
            SubstancePolymer SubstanceProtein SubstanceReferenceInformation
            SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestScript
            ValueSet
            """
        ),
    ])

    /// Whether one resource of this type, or what stands in its compartment, is of one patient.
    var isOfOnePatient: Bool {
        switch self {
        case .patient, .relative, .encounter: true
        case .record, .binary, .subscription, .impersonal: false
        }
    }
}
