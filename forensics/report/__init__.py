"""What a run says as a whole: headline, ranking, timeline, impact and postmortems."""
