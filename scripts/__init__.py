"""Scripts that make files of this repository from published packages. Nothing imports them."""
