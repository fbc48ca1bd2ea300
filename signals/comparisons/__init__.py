"""Compare orders of attempts fairly: an order is drawn for each signal, and stays sealed until a claim.

Start at `plan`, which a coordinator registers and nobody changes; then read `draws.draw_each`.
"""
