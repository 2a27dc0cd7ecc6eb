"""How people prove who they are: sessions, links by e-mail, second factors, passkeys."""
