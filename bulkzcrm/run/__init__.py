"""A run as a whole: joins the six stages, which do not know each other."""
