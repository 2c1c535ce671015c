// SearchParameter.swift: the search parameters that tell a narrow search from a vague one.

/// What a parameter does to a search, as far as we know it; unknown ones are criteria that narrow
/// nothing for certain.
enum SearchParameter: Sendable {
    case identifier
    case id
    case telecom
    case birthDate
    case name
    /// A reference to a patient, or an identifier of one.
    case patientReference
    case lastUpdated
    case count
    /// Shapes the answer, and selects nobody.
    case result
    /// Where a plain search goes on; whoever has the criteria can go there.
    case offset
    /// Brings resources of other types into the answer.
    case include
    /// Selects by whatever its value says.
    case expression
    /// Replaces the search by one of the server's own.
    case namedQuery
    case page(PageParameter)

    static let all = WordTable<SearchParameter>([
        (.identifier, "identifier"),
        (.id, "_id"),
        (.telecom, "telecom phone email"),
        (.birthDate, "birthdate"),
        (.name, "name family given phonetic mothersMaidenName"),
        (.patientReference, "patient subject patient.identifier subject.identifier"),
        (.patientReference, "patient._id subject._id sourceIdentifier"),
        (.lastUpdated, "_lastUpdated"),
        (.count, "_count"),
        (
            .result,
            """
            _sort _format _summary _elements _total _pretty _score _narrative _getpagesoffset
            _bundletype _type _since _at _graph _language _profile _maxresults
            """
        ),
        (.offset, "_offset _skip _page"),
        (.include, "_include _revinclude _contained _containedType"),
        (.expression, "_filter _has _text _content _list"),
        (.namedQuery, "_query"),
        (.page(.getPages), "_getpages"),
        (.page(.pageID), "_pageId"),
        (.page(.pageToken), "_page_token _pageToken"),
        (.page(.continuation), "ct"),
        (.page(.cursor), "_cursor cursor"),
        (.page(.after), "_after"),
        (.page(.context), "-pageContext"),
        (.page(.session), "sessionID"),
        (.page(.query), "queryId"),
        (.page(.page), "page"),
    ])
}

/// Opaque parameters of page links, by the servers that give them.
enum PageParameter: Int, CaseIterable, Sendable {
    /// HAPI FHIR: the id of a search, at the base, with `_getpagesoffset` beside it.
    case getPages
    /// HAPI FHIR's named pages; the national agency's servers, which encrypt the query in it.
    case pageID
    /// Google Cloud Healthcare.
    case pageToken
    /// Microsoft's FHIR service.
    case continuation
    /// Medplum, Health Gorilla.
    case cursor
    /// 1upHealth.
    case after
    /// Oracle Health, with `-pageDirection` beside it.
    case context
    /// Epic.
    case session
    /// InterSystems, with a `page` of digits beside it.
    case query
    /// AWS HealthLake; with digits alone it is the number of a page, of a plain search.
    case page

    /// Whether a server may look at it whatever the path is.
    var countsAnywhere: Bool { self == .getPages || self == .pageID }
}
