"""The page kit: what every page of the admin is made of."""
