"""What the pages of all processes share: their looks, and how page files become bytes in memory."""
