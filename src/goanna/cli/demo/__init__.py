"""What ``goanna demo`` shows: a real PyMongo client, stock and fast side by side, and events of one's own."""
