"""Sign-in over an identity provider of the organisation, by OpenID Connect."""
