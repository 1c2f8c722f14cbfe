"""Who is registered, in which order, and how a publish reaches them."""
