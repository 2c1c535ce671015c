// XMLSamples.swift: answers in XML to be inspected, written for the tests; nobody in them ever lived.

import Foundation
import KeyedHash

@testable import Lookup

enum XMLSamples {
    static func pdqPatient(_ ids: [(root: String, value: String)], more: String = "") -> String {
        let ids = ids.map { "<v3:id root=\"\($0.root)\" extension=\"\($0.value)\"/>" }.joined()
        return """
            <v3:subject typeCode="SUBJ"><v3:registrationEvent><v3:id nullFlavor="NA"/>\
            <v3:subject1><v3:patient classCode="PAT">\(ids)<v3:statusCode code="active"/>\
            <v3:patientPerson>\(more)</v3:patientPerson><v3:providerOrganization>\
            <v3:id root="1.2.3" extension="ORG"/></v3:providerOrganization></v3:patient>\
            </v3:subject1><v3:custodian><v3:assignedEntity><v3:id root="9.9" extension="C"/>\
            </v3:assignedEntity></v3:custodian></v3:registrationEvent></v3:subject>
            """
    }

    static let traits = """
        <v3:name><v3:family>EXEMPLE</v3:family><v3:given>Ada</v3:given></v3:name>\
        <v3:telecom value="tel:0100000000"/><v3:telecom value="mailto:ada@example.org"/>\
        <v3:administrativeGenderCode code="F"/><v3:birthTime value="19800102"/>\
        <v3:addr><v3:city>Rouen</v3:city></v3:addr><v3:asOtherIDs><v3:id \
        root="1.2.250.1.213.1.4.8" extension="280017600000142"/><v3:scopingOrganization>\
        <v3:id root="1.2.250.1.213.1.4.8"/></v3:scopingOrganization></v3:asOtherIDs>\
        <v3:personalRelationship><v3:code code="MTH"/><v3:relationshipHolder1><v3:name>\
        <v3:family>MODELE</v3:family></v3:name></v3:relationshipHolder1>\
        </v3:personalRelationship><v3:birthPlace><v3:addr><v3:city>Caen</v3:city></v3:addr>\
        </v3:birthPlace>
        """

    static func pdq(_ patients: [String], code: String = "OK", prefix: String = "soap") -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <\(prefix):Envelope xmlns:\(prefix)="http://www.w3.org/2003/05/soap-envelope">\
        <\(prefix):Header><x:patient xmlns:x="urn:hl7-org:v3"/></\(prefix):Header><\(prefix):Body>\
        <v3:PRPA_IN201306UV02 xmlns:v3="urn:hl7-org:v3"><v3:controlActProcess>\
        \(patients.joined())<v3:queryAck><v3:queryId root="1.2.3.9" extension="Q1"/>\
        <v3:queryResponseCode code="\(code)"/><v3:resultCurrentQuantity value="1"/></v3:queryAck>\
        <v3:queryByParameter><v3:parameterList><v3:livingSubjectName><v3:value>\
        <v3:family>EXEMPLE</v3:family></v3:value></v3:livingSubjectName></v3:parameterList>\
        </v3:queryByParameter></v3:controlActProcess></v3:PRPA_IN201306UV02></\(prefix):Body>\
        </\(prefix):Envelope>
        """
    }

    static let fault = """
        <S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault>\
        <faultcode>S:Server</faultcode><faultstring>no</faultstring></S:Fault></S:Body></S:Envelope>
        """

    static func insi(_ code: String, _ individual: String = "") -> String {
        """
        <S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope"><S:Body>\
        <RESULTAT xmlns="http://www.cnamts.fr/INSiResultat"><CR><CodeCR>\(code)</CodeCR>\
        <LibelleCR>x</LibelleCR></CR>\(individual)</RESULTAT></S:Body></S:Envelope>
        """
    }

    static let individual = """
        <INDIVIDU><INSACTIF><IdIndividu><NumIdentifiant>2800176000001</NumIdentifiant>\
        <Cle>42</Cle></IdIndividu><OID>1.2.250.1.213.1.4.8</OID></INSACTIF><INSHISTO><IdIndividu>\
        <NumIdentifiant>7800176000001</NumIdentifiant><Cle>12</Cle></IdIndividu>\
        <OID>1.2.250.1.213.1.4.9</OID></INSHISTO><TIQ><NomNaissance>EXEMPLE</NomNaissance>\
        <ListePrenom>ADA</ListePrenom><Sexe>F</Sexe><DateNaissance>1980-01-02</DateNaissance>\
        <LieuNaissance>76540</LieuNaissance></TIQ></INDIVIDU>
        """

    static func fhirPatient(_ number: Int, more: String = "") -> String {
        """
        <Patient><id value="p\(number)"/>\(more)<identifier><use value="official"/><system \
        value="urn:oid:1.2.250.1.213.1.4.8"/><value value="\(1_850_775_000_000 + number)42"/>\
        </identifier><name><family value="DUPONT"/><given value="Zoé"/></name>\
        <birthDate value="1985-07-01"/></Patient>
        """
    }

    static func bundle(_ resources: [String], more: String = "") -> String {
        """
        <Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/>\(more)\
        \(resources.map { "<entry><resource>\($0)</resource></entry>" }.joined())</Bundle>
        """
    }

    static func inspected(
        _ text: String, _ dialect: Dialect, cuts: [Int] = [], type: String = "application/xml",
        interaction: Interaction? = nil
    ) -> Inspected {
        let usual: Interaction =
            switch dialect {
            case .fhir: .search
            case .hl7v3: .query
            case .insi: .insByTraits
            }
        return Inspected(
            Array(text.utf8), cuts: cuts, type: type, interaction: interaction ?? usual,
            dialect: dialect)
    }
}

/// Real answers, when they are there: in the folder that HERSE_SAMPLES names, or beside the
/// repository.
enum RealSamples {
    static let folder: URL? = {
        let given = ProcessInfo.processInfo.environment["HERSE_SAMPLES"].map {
            URL(fileURLWithPath: $0)
        }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let beside = [
            root.deletingLastPathComponent(),
            root.deletingLastPathComponent()
                .deletingLastPathComponent(),
        ].map { $0.appendingPathComponent("shared/data") }
        return ([given].compactMap { $0 } + beside).first {
            FileManager.default.fileExists(atPath: $0.appendingPathComponent("hl7v3").path)
        }
    }()

    static func text(_ name: String) -> [UInt8]? {
        guard let folder else { return nil }
        return (try? Data(contentsOf: folder.appendingPathComponent(name))).map(Array.init)
    }
}
