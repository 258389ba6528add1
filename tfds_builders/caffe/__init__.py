"""CaFFe, calving fronts and where to find them: glacier zones and fronts in SAR scenes."""
