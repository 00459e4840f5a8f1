"""Dead letters: reactions that a service gave up, until an operator's decision about them is carried out."""
