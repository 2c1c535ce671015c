"""What the end-to-end tests stand on: certificates, a scripted identity server, gates, clients."""
