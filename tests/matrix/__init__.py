"""Who may do what, for every rule of the URL map, every method and every kind of visitor."""
