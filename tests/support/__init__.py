"""What tests of more than one folder use, and what tests of packaging do: ``packaging`` is the name of a library."""
