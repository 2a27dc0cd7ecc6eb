"""Link cards: what the pages that posts link to say of themselves."""
