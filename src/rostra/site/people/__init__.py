"""Who there is on the site, how they join and leave, and who has to do with whom."""
