"""``goanna bench``: what events cost on this machine, and the measuring machinery that benchmarks/ shares.

``loops`` are what is timed, ``jobs`` and the modules beside it what is done in them and by whom, ``measure`` has them
take turns, ``suites`` says which of them the command measures. ``document`` is what comes out: everything that is
shown, written or compared is made of it.
"""
