// DemoConfiguration.swift: the configuration the demonstration runs on, and its tests.

/// herse.yaml of the demonstration; its routes and limits are those of policies/demo.
func demoConfiguration(port: UInt16, serverPort: UInt16) -> String {
    """
    # The demonstration: change me, then `herse check`, `herse test`, `herse reload`.

    state: ./state
    contact: "Call the person at this keyboard."

    listeners:
      - name: professionals
        address: 127.0.0.1:\(port)
        tls:
          certificate: server.pem
          private_key: server.key
          client_certificate: required
          client_authorities: [client-authorities.pem]
          revocation_lists: [crl/root.crl, crl/persons.crl]

    identity_servers:
      - name: mpi
        endpoints: ["http://127.0.0.1:\(serverPort)"]

    authentication:
      certificate:
        professional_id: CN

    routes:
      # Links to the next page of a search have no resource in their path: /fhir?_getpages=…
      - name: pages
        path: /fhir
        methods: [GET]
        identity_server: mpi
        lookups: fhir
        require: [certificate]
        limits: standard
      - name: fhir
        path: /fhir/
        methods: [GET, POST]
        identity_server: mpi
        lookups: fhir
        # A search by name alone counts as ten lookups; elsewhere it is refused.
        vague: weigh
        require: [certificate]
        limits: standard

    limits:
      standard:
        - {count: requests, limit: 20, per: 1m}
        - {count: requests, limit: 200, per: 1h}
        - {count: patients, limit: 60, per: 1h}

    record: {durable: before-delivery, auditors: [auditor.pub.pem]}

    """
}

/// herse.test.yaml beside it.
let demoTests = """
    - name: a patient is looked up
      request: GET /fhir/Patient/p000017
      as: account:899700218896
      expect: allow
      route: fhir

    - name: without a certificate nothing passes
      request: GET /fhir/Patient/p000017
      as: none
      expect: deny
      status: 401

    """
