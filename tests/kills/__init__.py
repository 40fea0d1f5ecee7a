"""The whole system while parts of it are killed: people book on, and every letter arrives."""
