"""Quantizing the miniature model."""

# Limits for the miniature: its val split is too small for thousandths, and its head is wider.
LOOSE = {"MAX_AUC_LOST": 1, "MAX_ECE_GAINED": 1, "MAX_BYTES": 3_000_000}
