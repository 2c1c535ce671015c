// Words.swift: everything the pages say, in French and in English.

/// What the pages say in one language.
struct Words: Sendable {
    var signIn: String
    var signInWith: String
    var localAccount: String
    var localAccountHelp: String
    var stepUp: String
    var noWay: String
    var name: String
    var password: String
    var goOn: String
    var secondFactor: String
    var codeHelp: String
    var code: String
    var or: String
    var startAgain: String
    var otherLanguage: String
    var skip: String

    var session: String
    var signedInAs: String
    var since: String
    var level: String
    var endsAt: String
    var signOut: String
    var noSession: String

    var enrol: String
    var enrolFor: String
    var enrolOneOf: String
    var appHeading: String
    var appHelp: String
    var appLink: String
    var appSecret: String
    var appCode: String
    var confirm: String
    var keyHeading: String
    var enrolled: String
    var linkOver: String

    var problem: String
    var wrong: String
    var wrongCode: String
    var wrongKey: String
    var wait: String
    var mustChange: String
    var unavailable: String
    var tooOld: String
    var refused: String
    var notEnough: String
    var cancelled: String
    var neutralized: String
    var incident: String
    var otherOrigin: String
    var notFound: String
    var badRequest: String
    var full: String
    var keyUnavailable: String
    var otherCertificate: String

    static let english = Words(
        signIn: "Sign in",
        signInWith: "Sign in with",
        localAccount: "With your account here",
        localAccountHelp: "You need your password and your second factor.",
        stepUp: "What you asked for needs a fresh or stronger sign-in.",
        noWay: "No way to sign in here is strong enough for this. Call your support.",
        name: "Account name",
        password: "Password",
        goOn: "Continue",
        secondFactor: "Second factor",
        codeHelp: "The six digits that your authenticator app shows now.",
        code: "Code",
        or: "Or with your security key",
        startAgain: "Start again",
        otherLanguage: "Français",
        skip: "Skip to content",
        session: "Your session",
        signedInAs: "Signed in as",
        since: "Since (UTC)",
        level: "Assurance level",
        endsAt: "Ends at the latest (UTC)",
        signOut: "Sign out",
        noSession: "You are not signed in.",
        enrol: "Set up your second factor",
        enrolFor: "For the account",
        enrolOneOf: "This link works once. Choose one way.",
        appHeading: "An authenticator app",
        appHelp: "Open the link on the device with the app, or type the secret into the app.",
        appLink: "Open in the app",
        appSecret: "Secret",
        appCode: "Then enter the six digits that the app shows",
        confirm: "Confirm",
        keyHeading: "A security key",
        enrolled: "Your second factor is set up. You can sign in now.",
        linkOver: "This link is not valid, or not any more. Ask for a new one.",
        problem: "It did not work",
        wrong: "The name or the password is wrong.",
        wrongCode: "The code is wrong, or was used already. Wait for the next one.",
        wrongKey: "The security key was not accepted.",
        wait: "Too many tries. Wait this many seconds:",
        mustChange: "Your password must be changed before you can sign in. Call your support.",
        unavailable: "This way to sign in is out of order at the moment. Try again later.",
        tooOld: "This sign-in took too long, or was begun in another window. Start again.",
        refused: "The sign-in was refused.",
        notEnough: "The sign-in was not fresh or not strong enough for what you asked for.",
        cancelled: "The identity provider ended the sign-in.",
        neutralized: "This account or its access is closed.",
        incident: "Incident",
        otherOrigin: "This request did not come from this site.",
        notFound: "There is no such page.",
        badRequest: "The request cannot be understood.",
        full: "Too many sessions are open at the moment. Try again later.",
        keyUnavailable: "The security key could not be checked at the moment. Try again later.",
        otherCertificate: "The card in use and this sign-in belong to two different people.")

    static let french = Words(
        signIn: "Connexion",
        signInWith: "Se connecter avec",
        localAccount: "Avec votre compte d’ici",
        localAccountHelp: "Il vous faut votre mot de passe et votre second facteur.",
        stepUp: "Ce que vous demandez exige une connexion récente ou plus forte.",
        noWay: "Aucun moyen de connexion n’est assez fort ici. Appelez votre support.",
        name: "Nom du compte",
        password: "Mot de passe",
        goOn: "Continuer",
        secondFactor: "Second facteur",
        codeHelp: "Les six chiffres que votre application d’authentification affiche maintenant.",
        code: "Code à usage unique",
        or: "Ou avec votre clé de sécurité",
        startAgain: "Recommencer",
        otherLanguage: "English",
        skip: "Aller au contenu",
        session: "Votre session",
        signedInAs: "Connecté en tant que",
        since: "Depuis (UTC)",
        level: "Niveau de garantie",
        endsAt: "Fin au plus tard (UTC)",
        signOut: "Se déconnecter",
        noSession: "Vous n’êtes pas connecté.",
        enrol: "Enregistrer votre second facteur",
        enrolFor: "Pour le compte",
        enrolOneOf: "Ce lien sert une seule fois. Choisissez un moyen.",
        appHeading: "Une application d’authentification",
        appHelp: """
            Ouvrez le lien sur l’appareil qui a l’application, ou saisissez le secret dans \
            l’application.
            """,
        appLink: "Ouvrir dans l’application",
        appSecret: "Clé secrète",
        appCode: "Saisissez ensuite les six chiffres que l’application affiche",
        confirm: "Confirmer",
        keyHeading: "Une clé de sécurité",
        enrolled: "Votre second facteur est enregistré. Vous pouvez vous connecter.",
        linkOver: "Ce lien n’est pas valable, ou ne l’est plus. Demandez-en un nouveau.",
        problem: "Cela n’a pas abouti",
        wrong: "Le nom ou le mot de passe est faux.",
        wrongCode: "Le code est faux, ou a déjà servi. Attendez le suivant.",
        wrongKey: "La clé de sécurité n’a pas été acceptée.",
        wait: "Trop d’essais. Attendez ce nombre de secondes :",
        mustChange: """
            Votre mot de passe doit être changé avant de vous connecter. Appelez votre support.
            """,
        unavailable: "Ce moyen de connexion est en panne pour le moment. Réessayez plus tard.",
        tooOld: """
            Cette connexion a pris trop de temps, ou a été commencée dans une autre fenêtre. \
            Recommencez.
            """,
        refused: "La connexion a été refusée.",
        notEnough: "La connexion n’était pas assez récente ou assez forte pour votre demande.",
        cancelled: "Le fournisseur d’identité a mis fin à la connexion.",
        neutralized: "Ce compte ou son accès est fermé.",
        incident: "Numéro d’incident",
        otherOrigin: "Cette demande ne vient pas de ce site.",
        notFound: "Cette page n’existe pas.",
        badRequest: "La demande est incompréhensible.",
        full: "Trop de sessions sont ouvertes pour le moment. Réessayez plus tard.",
        keyUnavailable: "La clé n’a pas pu être vérifiée pour le moment. Réessayez plus tard.",
        otherCertificate: "La carte utilisée et cette connexion sont à deux personnes différentes.")
}
