"""The core in pure Python: the specification of the compiled one."""
