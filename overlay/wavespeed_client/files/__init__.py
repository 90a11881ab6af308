"""Files on their way to and from storage hosts, which get neither key nor cookies."""
