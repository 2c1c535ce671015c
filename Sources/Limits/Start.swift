// Limits
