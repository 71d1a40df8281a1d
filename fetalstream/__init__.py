"""Real-time standard-plane detection and gestational age from fetal ultrasound streams, around FetalCLIP.

The rooms of this package are links to the folders of those names at the top of the repository, so that what is
installed is `fetalstream` alone and nothing of a user's own name can stand in its place.
"""
