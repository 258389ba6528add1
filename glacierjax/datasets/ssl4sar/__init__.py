"""SSL4SAR: radar scenes without labels, and optical images of the same glaciers (Gourmelon et al. 2025)."""
