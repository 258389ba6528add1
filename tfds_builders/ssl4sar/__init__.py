"""SSL4SAR: unlabelled SAR scenes of glaciers and one optical image for each glacier."""
