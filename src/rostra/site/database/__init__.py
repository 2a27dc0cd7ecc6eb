"""Where the site's state is: SQLite or PostgreSQL through SQLAlchemy."""
