"""CaFFe: labelled radar scenes of calving fronts (Gourmelon et al. 2022)."""
