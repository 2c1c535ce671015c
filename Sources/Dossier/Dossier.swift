// Dossier.swift: begun.
