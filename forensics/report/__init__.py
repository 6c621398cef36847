"""The parts of a report that concern the whole run: headline, ranking, timeline, impact and postmortems."""
