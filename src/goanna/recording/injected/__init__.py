"""The folder that ``goanna record`` puts in front of the path of the programs that it runs."""
