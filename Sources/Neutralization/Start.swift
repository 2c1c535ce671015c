// Neutralization
