"""Who may log in, and as whom: `twisted.cred` portals, checkers and the user they give out."""
