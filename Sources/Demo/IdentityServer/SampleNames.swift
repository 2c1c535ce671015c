// SampleNames.swift: what synthetic patients are called, and where they are born and live.

/// A commune: its INSEE code, as in a birth place and a matricule, and one postal code.
struct Commune: Sendable {
    let code: String
    let name: String
    let postalCode: String

    init(_ code: String, _ name: String, _ postalCode: String) {
        self.code = code
        self.name = name
        self.postalCode = postalCode
    }
}

/// Common names, with the accents, particles and hyphens that searches stumble on.
enum SampleNames {
    static let families = [
        "ADAM", "ARNAUD", "AUBERT", "BAILLY", "BARBIER", "BENALI", "BERGER", "BERTRAND",
        "BLANCHARD",
        "BONNET", "BOUCHER", "BOYER", "BRUN", "CARON", "CARPENTIER", "CHEVALIER", "CLÉMENT",
        "COLIN",
        "D'ANGELO", "DA SILVA", "DE LA TOUR", "DELATTRE", "DIALLO", "DUBOIS", "DUFOUR", "DUMAS",
        "DUPONT", "DUPUIS", "DURAND", "ETCHEVERRY", "FAURE", "FERNANDEZ", "FLEURY", "FOURNIER",
        "GAILLARD", "GARCIA", "GAUTHIER", "GÉRARD", "GIRARD", "GONÇALVES", "GUÉRIN", "HAMEL",
        "HENRY",
        "HOËL", "HUBERT", "JACQUET", "JOLY", "KLEIN", "LACROIX", "LAMBERT", "LE BIHAN", "LE GALL",
        "LEBRUN", "LECLERC", "LEFÈVRE", "LEMOINE", "LEROUX", "MARCHAND", "MARTIN", "MEUNIER",
        "MOREAU", "MOULIN", "N'GUESSAN", "NGUYEN", "NOËL", "PERRIN", "PETIT", "PICARD", "QUÉMÉNER",
        "RENARD", "RIVIÈRE", "ROCHE", "ROUSSEL", "ROY", "SAINT-MARTIN", "SCHMITT", "SIMON",
        "TRAORÉ",
        "VASSEUR", "VIDAL", "WEBER", "YILMAZ",
    ]
    static let women = [
        "ADÈLE", "AGATHE", "AÏCHA", "ALICE", "AMÉLIE", "ANNE-MARIE", "ANAÏS", "BRIGITTE", "CAMILLE",
        "CÉCILE", "CHLOÉ", "CLAIRE", "DENISE", "ÉLISE", "EMMA", "FATIMA", "FRANÇOISE", "GENEVIÈVE",
        "HÉLÈNE", "INÈS", "ISABELLE", "JEANNE", "JULIE", "LÉA", "LOUISE", "LUCIE", "MANON",
        "MARGAUX", "MARIE", "MONIQUE", "NATHALIE", "NOÉMIE", "ODETTE", "PAULINE", "ROSE", "SOLÈNE",
        "SYLVIE", "THÉRÈSE", "YASMINE", "ZOÉ",
    ]
    static let men = [
        "ADRIEN", "ALAIN", "ANDRÉ", "ANTOINE", "ARTHUR", "BENOÎT", "BERNARD", "CÉDRIC", "DAMIEN",
        "ÉTIENNE", "FRANÇOIS", "GABRIEL", "GAËL", "GUILLAUME", "HUGO", "IBRAHIM", "JACQUES",
        "JEAN-PIERRE", "JÉRÔME", "JULIEN", "KARIM", "LÉO", "LOUIS", "LOÏC", "LUCAS", "MARCEL",
        "MATHIEU", "MAËL", "MOHAMED", "NOLAN", "OLIVIER", "PAUL", "PHILIPPE", "RAPHAËL", "RENÉ",
        "SÉBASTIEN", "THÉO", "THOMAS", "VINCENT", "YANN",
    ]
    static let streets = [
        "avenue de la Gare", "boulevard Pasteur", "chemin des Vignes", "impasse du Moulin",
        "place de l'Église", "route de la Mer", "rue des Écoles", "rue du Général-Leclerc",
        "rue Jean-Jaurès", "rue Victor-Hugo",
    ]
    static let communes = [
        Commune("02408", "Laon", "02000"), Commune("06088", "Nice", "06000"),
        Commune("10387", "Troyes", "10000"), Commune("13055", "Marseille", "13001"),
        Commune("14118", "Caen", "14000"), Commune("17300", "La Rochelle", "17000"),
        Commune("21231", "Dijon", "21000"), Commune("25056", "Besançon", "25000"),
        Commune("29019", "Brest", "29200"), Commune("29232", "Quimper", "29000"),
        Commune("2A004", "Ajaccio", "20000"), Commune("2B033", "Bastia", "20200"),
        Commune("30189", "Nîmes", "30000"), Commune("31555", "Toulouse", "31000"),
        Commune("33063", "Bordeaux", "33000"), Commune("34172", "Montpellier", "34000"),
        Commune("35238", "Rennes", "35000"), Commune("37261", "Tours", "37000"),
        Commune("38185", "Grenoble", "38000"), Commune("42218", "Saint-Étienne", "42000"),
        Commune("44109", "Nantes", "44000"), Commune("45234", "Orléans", "45000"),
        Commune("49007", "Angers", "49000"), Commune("51454", "Reims", "51100"),
        Commune("54395", "Nancy", "54000"), Commune("56260", "Vannes", "56000"),
        Commune("57463", "Metz", "57000"), Commune("59183", "Dunkerque", "59140"),
        Commune("59350", "Lille", "59000"), Commune("59606", "Valenciennes", "59300"),
        Commune("60057", "Beauvais", "60000"), Commune("62041", "Arras", "62000"),
        Commune("63113", "Clermont-Ferrand", "63000"), Commune("64445", "Pau", "64000"),
        Commune("66136", "Perpignan", "66000"), Commune("67482", "Strasbourg", "67000"),
        Commune("68224", "Mulhouse", "68100"), Commune("69123", "Lyon", "69001"),
        Commune("73065", "Chambéry", "73000"), Commune("74010", "Annecy", "74000"),
        Commune("75112", "Paris", "75012"), Commune("76351", "Le Havre", "76600"),
        Commune("76540", "Rouen", "76000"), Commune("80021", "Amiens", "80000"),
        Commune("83137", "Toulon", "83000"), Commune("84007", "Avignon", "84000"),
        Commune("86194", "Poitiers", "86000"), Commune("87085", "Limoges", "87000"),
    ]
}
