"""E-mail to people: written from templates in their language, sent by a job."""
