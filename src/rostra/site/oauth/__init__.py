"""OAuth 2: applications, authorization, tokens, and who asks with one."""
