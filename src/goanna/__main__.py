"""``python -m goanna``: the same as the command ``goanna``."""

from goanna.cli import main

raise SystemExit(main())
