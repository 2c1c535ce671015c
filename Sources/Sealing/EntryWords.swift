// EntryWords.swift: what entries are packed against: words that most of them have.
//
// The rarest come first and what an entry usually is last, since what is near takes fewer bits.
// INVARIANT: part of the format of the record (RecordFormat.md). Entries that are sealed already
// unpack with these and no others: new words need another mark than `packedMark`.

let entryWords: StaticString = #"""
    "masks":["vague":"break_glass":"event":"handshake-refused","why":"no-certificate"\#
    "interaction":"query","transaction":"ITI-47","action":"POST","deny","status":403,"why":"limit"\#
    "method":"token","level":"eidas1","issuer":"https://"account":"client":"token":"session":"s-\#
    "delivery":"whole","request_in":"forwarded":""tls":"TLSv1.2","birth-place","page":2,\#
    "cipher":"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",TLS_CHACHA20_POLY1305_SHA256",\#
    "clock":"unsynchronized","cipher":"TLS_AES_128_GCM_SHA256"interaction":"read",\#
    urn:oid:1.2.250.1.71.4.2.7|urn:oid:1.2.250.1.213.1.4.10|\#
    {"time":"2026-11-29T06:30:00.0Z","clock":"synchronized","request":"00000000000","peer":"10.0.\#
    0.1:","tls":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","professional":"8100","structure":"\#
    ","method":"certificate","certificate":"sha256:","route":"fhir","action":"GET",\#
    "decision":"allow","status":200,"delivery":"begun","bytes":1,"microseconds":1,\#
    "server_microseconds":1,"generation":1,"list":"2026-11-29T06:30:00.0Z",\#
    "rule":"/etc/herse/herse.yaml:1","left":1,"interaction":"search","lookups":1,\#
    "transaction":"ITI-78","finding":"understood","persons":["\#
    "],"fields":["name","birth-date","gender","phone","mail","address","ins","identifier"],\#
    "identifiers":[["urn:oid:1.2.250.1.213.1.4.8|2","Patient/"],["
    """#
