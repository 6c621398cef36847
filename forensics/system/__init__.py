"""Services of the operating system: shipped files, durable writes, several processes, and paths as arguments."""
