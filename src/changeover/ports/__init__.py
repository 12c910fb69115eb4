"""The world as we wish it: protocols of two to four verbs in the product's words."""
