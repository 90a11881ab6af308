"""Ways around what httpx 1 and httpcore do slowly, each with the condition under which it is deleted."""
