"""Real servers from wheels, for one machine; a URL in the environment points elsewhere instead."""
